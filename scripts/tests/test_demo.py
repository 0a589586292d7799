"""The demo takes orders to the end that each of them says, and tells what it cannot read."""

import asyncio
import io
from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from demo.__main__ import SHIPPED, main
from demo.display import progress
from demo.endings import expected
from demo.orders import Fault, read
from demo.tally import Tally

ORDER = (
    '{"id": "1", "customer": "Ada", "country": "FR", "postcode": "69001", "delivery": "express",'
    ' "items": [{"article": "mug", "quantity": 2, "cents": 1250}]}'
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "orders.jsonl"


def test_every_ending_is_reached_and_is_the_one_that_the_order_says(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = SHIPPED.read_text("utf-8").splitlines(keepends=True)[:50]
    path.write_text("".join(first), "utf-8")
    wanted = Counter(expected(order) for order in read(path)[0])

    status = main([str(path)])

    out, err = capsys.readouterr()
    rows = [line.split() for line in out.splitlines()]
    shown = {row[1]: int(row[-1]) for row in rows if len(row) > 2 and row[1] in wanted}
    assert (0, "") == (status, err)
    assert 7 == len(wanted)
    assert wanted == shown


async def test_progress_is_told_in_a_line_once_until_it_moves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tally = Tally()

    async with progress(Console(file=io.StringIO()), tally, 2, every=0):
        for status in ("running", "completed"):
            tally.statuses = Counter([status])
            for _ in range(5):
                await asyncio.sleep(0)

    told = [line.partition(": ")[2] for line in capsys.readouterr().out.splitlines()]
    assert ["0 of 2 ended: 1 running", "1 of 2 ended: 1 completed"] == told


def test_a_line_that_holds_no_order_is_told_and_skipped(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path.write_text(f"{ORDER}\n\n{{oops}}\n", "utf-8")

    status = main([str(path)])

    out, err = capsys.readouterr()
    assert 2 == status
    assert f"{path}:3: skipped: JSON is malformed" in err
    assert "lines skipped: 1" in err
    assert "The history of orderid::1, the run with the most to tell" in out
    assert "Every run ended as its order says." in out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (ORDER, "the id '1' is taken by line 1"),
        (ORDER.replace('"1"', '"a-b"'), "an id is lower-case letters and digits, not 'a-b'"),
        (ORDER.replace("country", "land"), "Object contains unknown field `land`"),
        (ORDER.replace('"1"', '"2"').replace("2,", "0,"), "Expected `int` >= 1"),
        (ORDER.replace('"1"', '"2"').replace("Ada", r"\u0000"), "the text holds a NUL character"),
    ],
)
def test_what_is_wrong_with_a_line_is_told(path: Path, line: str, reason: str) -> None:
    path.write_text(f"{ORDER}\n{line}\n", "utf-8")

    orders, faults = read(path)

    assert 1 == len(orders)
    assert [2] == [fault.line for fault in faults]
    assert reason in faults[0].reason


def test_a_line_in_another_encoding_is_told(path: Path) -> None:
    path.write_bytes(ORDER.replace("Ada", "Zoé").encode("latin-1"))

    orders, faults = read(path)

    assert [] == orders
    assert [Fault(1, "not UTF-8, from byte 28 of the line on")] == faults


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(path: Path) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + ORDER.encode() + b"\r\n")

    orders, faults = read(path)

    assert (1, []) == (len(orders), faults)


def test_a_file_without_orders_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.touch()

    status = main([str(path)])

    assert 2 == status
    assert f"{path} holds no order\n" == capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main([str(path)])

    assert 2 == status
    assert f"cannot read {path}: No such file or directory\n" == capsys.readouterr().err


def test_the_shipped_file_holds_a_thousand_orders_and_nothing_else() -> None:
    orders, faults = read(SHIPPED)

    assert (1000, []) == (len(orders), faults)

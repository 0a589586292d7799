"""The one rule for texts that are stored: what is kept, and what is refused."""

from enum import StrEnum
from typing import Any

import pytest

from hephaestus import data
from hephaestus.errors import InvalidArgument


@pytest.mark.parametrize("text", ["", "a\nb", "日本 🦀", "x" * 10_000])
def test_any_text_but_two_kinds_is_kept(text: str) -> None:
    assert text == data.check_text(text, "id")


def test_a_member_of_an_enum_of_texts_is_kept_as_a_plain_one() -> None:
    class Color(StrEnum):
        RED = "red"

    text = data.check_text(Color.RED, "id")

    assert (str, "red") == (type(text), text)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (3, "id must be a text, not 3"),
        (None, "id must be a text, not None"),
        (b"x" * 99, r"id must be a text, not b'x+\.\.\.x+'"),
        ("", "id must be a text of 1 to 5 characters, not 0: ''"),
        ("abcdef", "id must be a text of 1 to 5 characters, not 6: 'abcdef'"),
        ("a\0", "id cannot be stored: the text holds a NUL character"),
        ("\ud800", "id cannot be stored: the text holds a lone surrogate"),
    ],
)
def test_another_text_is_refused_with_its_name_and_the_reason(value: Any, sentence: str) -> None:
    with pytest.raises(InvalidArgument, match=f"^{sentence}$"):
        data.check_text(value, "id", longest=5)

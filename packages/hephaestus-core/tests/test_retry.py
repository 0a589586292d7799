"""Retry policies: their defaults, their delays, and what they refuse."""

import pickle
from dataclasses import FrozenInstanceError
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import InvalidArgument
from hephaestus.retry import DEFAULT_RETRY, Backoff, Retry

SECOND = timedelta(seconds=1)
BACKOFFS: list[Backoff] = ["exponential", "linear", "constant"]


def seconds(retry: Retry, attempts: int) -> list[float]:
    return [retry.delay(n, "seed").total_seconds() for n in range(1, attempts + 1)]


def test_the_default_is_five_attempts_from_one_second_to_a_minute() -> None:
    assert Retry() == DEFAULT_RETRY
    assert (5, SECOND, "exponential", 60 * SECOND, 0.1, 10) == (
        DEFAULT_RETRY.max_attempts,
        DEFAULT_RETRY.initial_delay,
        DEFAULT_RETRY.backoff,
        DEFAULT_RETRY.max_delay,
        DEFAULT_RETRY.jitter,
        DEFAULT_RETRY.max_lost,
    )


def test_the_number_of_attempts_may_be_given_alone() -> None:
    assert Retry(max_attempts=3) == Retry(3)


def test_its_arguments_come_in_the_order_of_its_fields() -> None:
    named = Retry(max_attempts=3, initial_delay=2, backoff="linear", max_delay=9, jitter=0)

    assert named == Retry(3, 2, "linear", 9, 0)


def test_an_unknown_argument_is_refused_with_those_there_are() -> None:
    misspelt: dict[str, Any] = {"retries": 3}

    with pytest.raises(InvalidArgument, match=r"no option 'retries' \(options: max_attempts, "):
        Retry(**misspelt)


def test_seconds_become_timedeltas() -> None:
    retry = Retry(initial_delay=0.5, max_delay=90)

    assert timedelta(milliseconds=500) == retry.initial_delay
    assert timedelta(seconds=90) == retry.max_delay


def test_an_exponential_delay_doubles_up_to_the_longest() -> None:
    retry = Retry(initial_delay=1, max_delay=5, jitter=0)

    assert [1, 2, 4, 5, 5] == seconds(retry, 5)


def test_a_linear_delay_grows_by_one_initial_delay_up_to_the_longest() -> None:
    retry = Retry(initial_delay=2, backoff="linear", max_delay=7, jitter=0)

    assert [2, 4, 6, 7, 7] == seconds(retry, 5)


def test_a_constant_delay_stays() -> None:
    retry = Retry(initial_delay=2, backoff="constant", jitter=0)

    assert [2, 2, 2] == seconds(retry, 3)


def test_an_initial_delay_over_a_minute_raises_the_longest_where_none_is_given() -> None:
    retry = Retry(initial_delay=timedelta(minutes=5), jitter=0)

    assert [300, 300] == seconds(retry, 2)


def test_the_longest_delay_caps_the_initial_one_too() -> None:
    assert [0.5] == seconds(Retry(initial_delay=1, max_delay=0.5, jitter=0), 1)


@given(
    backoff=st.sampled_from(BACKOFFS),
    attempt=st.integers(1, 10**12),
    jitter=st.floats(0, 1),
    seed=st.text(st.characters(exclude_categories=["Cs"])),
)
def test_jitter_only_adds_and_at_most_its_fraction(
    backoff: Backoff, attempt: int, jitter: float, seed: str
) -> None:
    exact = Retry(backoff=backoff, jitter=0).delay(attempt, seed)

    delay = Retry(backoff=backoff, jitter=jitter).delay(attempt, seed)

    assert exact <= delay <= exact * (1 + jitter)


def test_jitter_is_the_same_for_the_same_seed_and_differs_between_seeds() -> None:
    delays = {DEFAULT_RETRY.delay(1, f"run/step/{n}") for n in range(100)}

    assert DEFAULT_RETRY.delay(1, "run/step/1") == DEFAULT_RETRY.delay(1, "run/step/1")
    assert 90 < len(delays)


def test_jitter_can_be_switched_on_and_off() -> None:
    assert Retry() == Retry(jitter=True)
    assert Retry(jitter=0) == Retry(jitter=False)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_attempts", 0),
        ("max_attempts", True),
        ("max_attempts", 2.0),
        ("max_attempts", None),
        ("max_lost", 0),
        ("max_lost", "3"),
        ("initial_delay", -1),
        ("initial_delay", "1s"),
        ("initial_delay", None),
        ("max_delay", float("nan")),
        ("max_delay", timedelta(seconds=-1)),
        ("backoff", "fibonacci"),
        ("backoff", None),
        ("backoff", []),
        ("jitter", -0.1),
        ("jitter", 1.5),
        ("jitter", float("nan")),
        ("jitter", "0.1"),
        ("jitter", None),
    ],
)
def test_a_wrong_value_is_refused_and_the_field_named(field: str, value: Any) -> None:
    with pytest.raises(InvalidArgument, match=f"^{field} must be|^{field} must not be"):
        Retry(**{field: value})


def test_a_policy_never_changes() -> None:
    with pytest.raises(FrozenInstanceError):
        Retry().max_attempts = 9  # type: ignore[misc]  # wrong on purpose


def test_a_policy_survives_pickling() -> None:
    retry = Retry(3, backoff="linear", jitter=0.5)

    assert retry == pickle.loads(pickle.dumps(retry))

"""What a step sees: copies of its own, and clear words where there is nothing."""

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.instance import Identity
from hephaestus.steps import StepContext, step

RUN = Identity(
    id="orderid::42",
    run_id="r-1",
    workflow="shop.Order",
    workflow_version=2,
    tags=("shop",),
    metadata={"team": {"name": "payments"}},
    runtime_metadata={"seen": []},
    telemetry_metadata={"trace": {}},
)


@step
def validate(ctx: StepContext) -> None: ...


def test_initial_data_is_enough_to_test_a_step() -> None:
    ctx = StepContext({"count": 3})

    assert ({"count": 3}, {}, {}, 1, None) == (
        ctx.initial,
        ctx.steps,
        ctx.config,
        ctx.attempt,
        ctx.answer,
    )
    assert (1, (), {}) == (ctx.instance.workflow_version, ctx.instance.tags, ctx.instance.metadata)


def test_the_engine_gives_all_that_it_knows() -> None:
    ctx = StepContext(
        initial={"a": 1},
        steps={"validate": {"b": 2}},
        config={"c": 3},
        instance=RUN,
        step="charge",
        attempt=4,
        answer={"d": 5},
        session="session",
    )

    assert ({"a": 1}, {"validate": {"b": 2}}, {"c": 3}) == (ctx.initial, ctx.steps, ctx.config)
    assert (RUN, 4, {"d": 5}, "session") == (ctx.instance, ctx.attempt, ctx.answer, ctx.session)


def test_a_result_is_found_by_step_and_by_key() -> None:
    ctx = StepContext({}, {"validate": {"count": 3}})

    assert 3 == ctx[validate]["count"] == ctx["validate"]["count"] == ctx.steps["validate"]["count"]
    assert validate in ctx
    assert "ship" not in ctx


def test_a_result_that_is_not_seen_is_explained() -> None:
    ctx = StepContext({}, {"validated": {}, "charge": {}}, step="ship")

    with pytest.raises(KeyError) as caught:
        ctx[validate]

    assert (
        "step 'ship' sees no result of 'validate'; did you mean 'validated'?; it sees those of "
        "the steps that lead to it and were not skipped: validated, charge"
    ) == str(caught.value)


def test_a_step_cannot_reach_the_values_of_the_engine() -> None:
    initial, steps, config, answer = {"a": [1]}, {"s": {"b": [2]}}, {"c": [3]}, {"d": [4]}
    ctx = StepContext(initial, steps, config=config, answer=answer, instance=RUN)

    ctx.initial["a"].append(9)
    ctx["s"]["b"].append(9)
    ctx.steps["more"] = 9
    ctx.config["c"].append(9)
    (ctx.answer or {})["d"].append(9)
    ctx.instance.metadata["team"]["name"] = 9
    ctx.instance.runtime_metadata["seen"].append(9)
    ctx.instance.telemetry_metadata["trace"]["x"] = 9

    assert ({"a": [1]}, {"s": {"b": [2]}}, {"c": [3]}, {"d": [4]}) == (
        initial,
        steps,
        config,
        answer,
    )
    assert ({"team": {"name": "payments"}}, {"seen": []}, {"trace": {}}) == (
        RUN.metadata,
        RUN.runtime_metadata,
        RUN.telemetry_metadata,
    )


def test_a_step_sees_what_it_changed_itself() -> None:
    ctx = StepContext({"a": [1]}, {"s": {}})

    ctx.initial["a"].append(2)
    ctx["s"]["x"] = 1
    ctx.steps["s"]["y"] = 2
    ctx["s"]["z"] = 3

    assert ({"a": [1, 2]}, {"s": {"x": 1, "y": 2, "z": 3}}) == (ctx.initial, ctx.steps)


def test_the_idempotency_key_names_run_and_step_in_every_attempt() -> None:
    keys = {StepContext({}, instance=RUN, step="charge", attempt=n).idempotency_key for n in (1, 2)}

    assert {"r-1/charge"} == keys


def test_only_a_transactional_step_has_a_session() -> None:
    with pytest.raises(InvalidArgument, match=r"step 'charge' has no session; .*transactional"):
        StepContext({}, step="charge").session  # noqa: B018  # reading it is the act


def test_a_context_shows_whose_it_is() -> None:
    ctx = StepContext({"secret": 1}, instance=RUN, step="charge", attempt=2)

    assert "<ctx of step 'charge', attempt 2, of 'orderid::42'>" == repr(ctx)

"""A connector carries out named actions, and refuses the others without raising."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from hephaestus.connectors import Connector, Refused, Reply, Success
from hephaestus.errors import DefinitionError


class Mail(Connector):
    """Sends messages, into a list."""

    actions: ClassVar[tuple[str, ...]] = ("send", "recall")

    def __init__(self) -> None:
        self.sent: list[tuple[str, Mapping[str, Any], Mapping[str, Any]]] = []

    async def perform(
        self, action: str, params: Mapping[str, Any], config: Mapping[str, Any]
    ) -> Reply:
        if action == "recall":
            return Refused("it was read already")
        if params.get("to") == "nowhere":
            raise ConnectionError("no route")
        self.sent.append((action, params, config))
        return Success({"id": len(self.sent)})


async def test_an_action_is_carried_out_with_params_and_config() -> None:
    mail = Mail()

    reply = await mail.execute("send", {"to": "ann"}, {"host": "mx"})

    assert Success({"id": 1}) == reply
    assert [("send", {"to": "ann"}, {"host": "mx"})] == mail.sent


async def test_params_and_config_may_be_left_out() -> None:
    mail = Mail()

    await mail.execute("send")

    assert [("send", {}, {})] == mail.sent


def test_a_connector_lists_its_actions() -> None:
    assert ("send", "recall") == Mail.actions


async def test_an_unsupported_action_is_refused_and_not_performed() -> None:
    mail = Mail()

    reply = await mail.execute("delete", {})

    assert Refused("Mail has no action 'delete' (actions: send, recall)") == reply
    assert [] == mail.sent


async def test_a_connector_may_refuse_an_action_itself() -> None:
    assert Refused("it was read already") == await Mail().execute("recall")


async def test_what_the_system_raises_reaches_the_step() -> None:
    with pytest.raises(ConnectionError, match="no route"):
        await Mail().execute("send", {"to": "nowhere"})


async def test_a_subclass_may_narrow_the_actions_and_inherit_the_rest() -> None:
    class SendOnly(Mail):
        actions = ("send",)

    assert isinstance(await SendOnly().execute("recall"), Refused)
    assert isinstance(await SendOnly().execute("send"), Success)


def test_a_connector_without_actions_is_refused_when_defined() -> None:
    with pytest.raises(DefinitionError, match=r"Silent declares its actions .* not None"):

        class Silent(Connector):
            async def perform(self, action: str, params: Any, config: Any) -> Reply:
                return Success()


@pytest.mark.parametrize("wrong", ["send", (), ["send"], ("",), (1,)])
def test_actions_are_a_tuple_of_names(wrong: Any) -> None:
    with pytest.raises(DefinitionError, match="a tuple of names"):

        class Odd(Connector):
            actions = wrong

            async def perform(self, action: str, params: Any, config: Any) -> Reply:
                return Success()


def test_a_connector_without_perform_is_refused_when_defined() -> None:
    with pytest.raises(DefinitionError, match=r"Idle defines no `async def perform"):

        class Idle(Connector):
            actions = ("send",)


def test_a_plain_perform_is_refused_when_defined() -> None:
    with pytest.raises(DefinitionError, match=r"Plain defines no `async def perform"):

        class Plain(Connector):
            actions = ("send",)

            def perform(self, action: str, params: Any, config: Any) -> Any:
                return Success()


def test_replies_are_values() -> None:
    with pytest.raises(AttributeError):
        Refused("no").reason = "yes"  # type: ignore[misc]  # the point of the test

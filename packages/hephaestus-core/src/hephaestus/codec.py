"""Instances and user data as JSON, and the limits that hold for what is stored."""

import base64
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from hephaestus import data
from hephaestus.errors import (
    HephaestusError,
    InvalidArgument,
    NotSerializable,
    PayloadTooLarge,
)
from hephaestus.instance import ActiveStep, FinishedStep, Instance, StepError
from hephaestus.message import Body, EventPosted, StepEnded
from hephaestus.outcome import Completed, Halt

MAX_BYTES = 1024 * 1024
FORMAT = 1
"""The version of the state's layout."""


class Hook(Protocol):
    """Changes user data on its way to the storage and back: encrypts it, or keeps it elsewhere.

    It is given initial data, results, the payloads of events, what a halt shows and asks, config
    and metadata; never ids, names, tags, events and errors. What it has changed cannot be found
    by a query on the context.
    """

    def encode(self, plain: bytes) -> bytes:
        """Return what is stored for these bytes of JSON."""
        ...

    def decode(self, stored: bytes) -> bytes:
        """Return the bytes of JSON for which this was stored.

        Raises:
            StorageUnavailable: They cannot be had now. Whatever else it raises means that they
                cannot be read at all.
        """
        ...


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The part of an instance that is rewritten at every commit."""

    format: int
    active: dict[str, ActiveStep] = {}
    finished: dict[str, FinishedStep] = {}
    stopped: dict[str, ActiveStep] = {}
    runtime_metadata: dict[str, Any] = {}
    telemetry_metadata: dict[str, Any] = {}
    error: StepError | None = None
    kept: int = 0


_encoder = msgspec.json.Encoder()
_mapping = msgspec.json.Decoder(dict[str, Any])
_state = msgspec.json.Decoder(State)
_body = msgspec.json.Decoder(Body)


class Codec:
    """Turns what a storage keeps into bytes of JSON and back.

    An instance is stored in parts, so that what never changes is written once: its columns,
    its initial data, the result of each step, and its state.
    """

    def __init__(self, *, max_bytes: int = MAX_BYTES, hook: Hook | None = None) -> None:
        if max_bytes < 1:
            raise InvalidArgument(f"Codec(max_bytes=…) is 1 or more, not {max_bytes}")
        self._max_bytes = max_bytes
        self._hook = hook

    @property
    def hooked(self) -> bool:
        """Whether a hook changes user data, so that they are to be shown nowhere else either."""
        return self._hook is not None

    def checked(self, value: object, where: str) -> dict[str, Any]:
        """Return the mapping as it will be read back; None becomes an empty one.

        Raises:
            NotSerializable: It is no mapping, or holds what cannot be stored.
            PayloadTooLarge: It takes more than `max_bytes`.
        """
        if value is None:
            return {}
        if type(value) is not dict and data.as_mapping(value) is None:
            raise NotSerializable(where, f"it is not a mapping but {type(value).__name__}")
        raw = data.dumps(value, where)
        if len(raw) > self._max_bytes:
            raise PayloadTooLarge(where, len(raw), self._max_bytes)
        read: dict[str, Any] = data.loads(raw)
        return read

    def dump(self, value: Mapping[str, Any]) -> bytes:
        """Return user data as bytes of JSON."""
        if not value:
            return b"{}"
        return _encoder.encode(self._out(value))

    def load(self, raw: bytes) -> dict[str, Any]:
        """Return the user data that `dump` wrote.

        Raises:
            ValueError: The bytes are not what `dump` writes.
        """
        if data.may_hold_tags(raw):
            return self._in(msgspec.json.decode(raw))
        return _mapping.decode(raw)

    def dump_state(self, instance: Instance) -> bytes:
        """Return the instance's state, without columns, initial data and results."""
        # What is empty is left out, and mostly it is.
        stopped = instance.stopped
        runtime, telemetry = instance.runtime_metadata, instance.telemetry_metadata
        return _encoder.encode(
            State(
                format=FORMAT,
                active=self._steps(instance.active, self._out, self._halt_wire),
                finished=self._finished(instance.finished, self._routes_wire),
                stopped=stopped and self._steps(stopped, self._out, self._halt_wire),
                runtime_metadata=runtime and self._out(runtime),
                telemetry_metadata=telemetry and self._out(telemetry),
                error=instance.error,
                kept=instance.kept,
            )
        )

    def load_state(self, raw: bytes) -> dict[str, Any]:
        """Return the fields of an `Instance` that `dump_state` wrote.

        Raises:
            ValueError: The bytes are not what `dump_state` writes, or of a later format.
        """
        state = _state.decode(raw)
        if state.format > FORMAT:
            raise ValueError(f"its format is {state.format} and this code reads up to {FORMAT}")
        if data.may_hold_tags(raw):
            state = msgspec.structs.replace(
                state,
                active=self._steps(state.active, self._in, self._halt_plain),
                finished=self._finished(state.finished, self._routes_plain),
                stopped=self._steps(state.stopped, self._in, self._halt_plain),
                runtime_metadata=self._in(state.runtime_metadata),
                telemetry_metadata=self._in(state.telemetry_metadata),
            )
        fields = msgspec.structs.asdict(state)
        del fields["format"]
        return fields

    def dump_body(self, body: Body) -> bytes:
        """Return the body of a message."""
        return _encoder.encode(self._body(body, self._out, self._routes_wire, self._halt_wire))

    def load_body(self, raw: bytes) -> Body:
        """Return the body that `dump_body` wrote.

        Raises:
            ValueError: The bytes are not what `dump_body` writes.
        """
        return self._body(_body.decode(raw), self._in, self._routes_plain, self._halt_plain)

    def _out(self, value: Mapping[str, Any]) -> Any:
        if not value:
            return {}
        if self._hook is None:
            return data.encode(value)
        stored = self._hook.encode(data.dumps(value))
        return {"$": ["hooked", base64.b64encode(stored).decode()]}

    def _in(self, value: Any) -> dict[str, Any]:
        match value:
            case {"$": ["hooked", str(text)]}:
                value = msgspec.json.decode(self._unhooked(base64.b64decode(text)))
        read = data.decode(value) if value else value
        if type(read) is not dict:
            raise ValueError(f"it is not a mapping but {type(read).__name__}")
        return read

    def _unhooked(self, stored: bytes) -> bytes:
        if self._hook is None:
            raise ValueError("it was written through a codec hook that is not set here")
        try:
            return self._hook.decode(stored)
        except HephaestusError:
            raise
        except Exception as error:
            raise ValueError(f"the codec hook cannot read it: {error!r}") from error

    def _steps(
        self, steps: dict[str, ActiveStep], turn: Any, turn_halt: Any
    ) -> dict[str, ActiveStep]:
        turned = {}
        for key, step in steps.items():
            # Hardly any step has data of the user's in its record.
            if step.config is not None or step.answer is not None or step.halt is not None:
                turned[key] = self._step(step, turn, turn_halt)
        return steps | turned if turned else steps

    def _step(self, step: ActiveStep, turn: Any, turn_halt: Any) -> ActiveStep:
        return msgspec.structs.replace(
            step,
            config=None if step.config is None else turn(step.config),
            answer=None if step.answer is None else turn(step.answer),
            halt=None if step.halt is None else turn_halt(step.halt),
        )

    def _halt_wire(self, halt: Halt) -> Halt:
        if self._hook is None or halt.prompt is None:
            return msgspec.structs.replace(halt, data=self._out(halt.data))
        # A hook is given mappings, so the question becomes one.
        asked = self._out({"prompt": halt.prompt})
        return msgspec.structs.replace(
            halt, data={"$": ["asked", self._out(halt.data), asked]}, prompt=None
        )

    def _halt_plain(self, halt: Halt) -> Halt:
        match halt.data:
            case {"$": ["asked", data, asked]}:
                prompt = self._in(asked)["prompt"]
                return msgspec.structs.replace(halt, data=self._in(data), prompt=prompt)
        return msgspec.structs.replace(halt, data=self._in(halt.data))

    def _finished(self, finished: dict[str, FinishedStep], turn: Any) -> dict[str, FinishedStep]:
        turned = {}
        for key, step in finished.items():
            routes = step.routes
            # Hardly any edge has config.
            if routes and any(routes.values()):
                turned[key] = FinishedStep(event=step.event, routes=turn(routes))
        return finished | turned if turned else finished

    def _routes_wire(self, routes: Mapping[str, Any]) -> dict[str, Any]:
        return {key: config and self._out(config) for key, config in routes.items()}

    def _routes_plain(self, routes: Mapping[str, Any]) -> dict[str, Any]:
        return {key: config and self._in(config) for key, config in routes.items()}

    def _body(self, body: Body, turn: Any, turn_routes: Any, turn_halt: Any) -> Body:
        match body:
            case EventPosted(payload=payload):
                return msgspec.structs.replace(body, payload=turn(payload))
            case StepEnded(outcome=Completed() as outcome):
                routes = outcome.routes
                outcome = msgspec.structs.replace(
                    outcome,
                    data=turn(outcome.data),
                    metadata=turn(outcome.metadata),
                    routes=None if routes is None else turn_routes(routes),
                )
                return msgspec.structs.replace(body, outcome=outcome)
            case StepEnded(outcome=Halt() as halt):
                return msgspec.structs.replace(body, outcome=turn_halt(halt))
        return body

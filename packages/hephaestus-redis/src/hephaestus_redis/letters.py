"""Messages as they lie in an inbox."""

from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.message import Message, StepEnded
from hephaestus_redis import keys
from hephaestus_redis.leases import place_of

_MESSAGE = b"message:"


class _Head(msgspec.Struct, omit_defaults=True):
    """What of a message is not its body; scripts read it, too."""

    dedup_key: str
    place: str | None = None
    """The attempt whose outcome it is."""

    not_before: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Head)


def posting(message: Message, codec: Codec) -> dict[str, Any]:
    """Return a message as the script takes it.

    Raises:
        NotSerializable: It holds what cannot be stored.
    """
    body = message.body
    place = place_of(body.step, body.attempt) if isinstance(body, StepEnded) else None
    at = None if message.not_before is None else keys.instant(message.not_before)
    return {
        "run_id": keys.findable(message.run_id),
        "id": message.id,
        "dedup_key": message.dedup_key,
        "place": place,
        "at": keys.AT_ONCE if at is None else at,
        "head": _encoder.encode(_Head(message.dedup_key, place, at)).decode(),
        "body": codec.dump_body(body).decode(),
    }


def messages(
    run_id: str, inbox: dict[bytes, bytes], unseen: dict[bytes, bytes], codec: Codec
) -> tuple[Message, ...]:
    """Return the messages of an inbox, in their order; what is not unseen was seen.

    Raises:
        ValueError: They cannot be read.
    """
    found = []
    for field, stored in inbox.items():
        if field.startswith(_MESSAGE):
            id = field.removeprefix(_MESSAGE)
            sequence, head, body = stored.split(b"\n", 2)
            read = _decoder.decode(head)
            at = read.not_before
            message = Message(
                id=id.decode(),
                run_id=run_id,
                body=codec.load_body(body),
                not_before=None if at is None else keys.from_instant(at),
                dedup_key=read.dedup_key,
                sequence=int(sequence),
                seen=id not in unseen,
            )
            found.append(message)
    return tuple(sorted(found, key=lambda message: message.sequence))

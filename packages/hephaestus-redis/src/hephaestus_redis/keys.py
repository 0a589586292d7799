"""How keys are named, and how texts and times are written in them.

    {namespace}:run:<run id>            hash: the run; `result:<step>` is a field each, `leases` is
                                              attempt → who holds or held it, and until when
    {namespace}:history:<run id>        hash: entry id → place in the order, entry
    {namespace}:inbox:<run id>          hash: `message:<id>` → sequence, message;
                                              `outcome:<attempt>` → how many there are of it
    {namespace}:known:<run id>          set: the dedup keys that the run has seen
    {namespace}:unseen:<run id>         sorted set: the messages that no commit has named, by the
                                                    time from which they need attention
    {namespace}:id:<id>                 sorted set: the runs of an id, unfinished ones last
    {namespace}:index:<status>:<workflow>  sorted set: runs by time of creation; either may be empty
    {namespace}:finished:<status>       sorted set: runs by the time of their end
    {namespace}:due:<version>:<workflow>   sorted set: runs by the time when they need attention
    {namespace}:named:<name>            set: the attempts that workers of that name hold
    {namespace}:workflows               set: the names of the workflows that have runs
    {namespace}:holders                 hash: unique key → the unfinished run that holds it
    {namespace}:messages                hash: message id → the run whose inbox it lies in
    {namespace}:confirmed               what is written before replicas are waited for

The braces are a part of each key: what stands between them is its hash tag, so that all keys of a
namespace lie on one shard of a cluster. What stands last may hold any character; no key is ever
taken apart.
"""

from datetime import UTC, datetime, timedelta

from hephaestus.errors import InvalidArgument

_MICROSECOND = timedelta(microseconds=1)
_FIRST = datetime.min.replace(tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AT_ONCE = "-inf"
"""The instant that has always come."""


class Keys:
    """The keys of one namespace.

    Raises:
        InvalidArgument: The namespace cannot be a hash tag.
    """

    def __init__(self, namespace: str) -> None:
        if not isinstance(namespace, str) or not namespace or set("{}\0") & set(namespace):
            raise InvalidArgument(
                f"namespace= is a text without braces and not empty, not {namespace!r}"
            )
        self.prefix = encode(f"{{{namespace}}}:")

    def run(self, run_id: str) -> bytes:
        """Return the key of a run."""
        return self.prefix + b"run:" + encode(run_id)

    def history(self, run_id: str) -> bytes:
        """Return the key of a run's history."""
        return self.prefix + b"history:" + encode(run_id)

    def id(self, id: str) -> bytes:
        """Return the key of the runs of an id."""
        return self.prefix + b"id:" + encode(id)

    def index(self, status: str = "", workflow: str = "") -> str:
        """Return the key of the runs of a status, of a workflow, of both or of neither."""
        return f"{self.prefix.decode()}index:{status}:{findable(workflow)}"

    @property
    def workflows(self) -> bytes:
        """The key of the names of workflows."""
        return self.prefix + b"workflows"


def encode(text: str) -> bytes:
    """Return a text as bytes, even one that cannot be stored and is only looked for."""
    return text.encode("utf-8", "surrogatepass")


def findable(text: str) -> str:
    """Return a text to look for: one that cannot be stored becomes another that is not."""
    return text if _is_storable(text) else "\0"


def moment(time: datetime) -> str:
    """Return a time such that the order of the texts is that of the times."""
    return f"{_since(_FIRST, time):018d}"


def next_moment(time: datetime) -> str:
    """Return the text of the time that is a microsecond later."""
    return f"{_since(_FIRST, time) + 1:018d}"


def from_moment(text: str | bytes) -> datetime:
    """Return the time that `moment` wrote."""
    return _FIRST + int(text) * _MICROSECOND


def instant(time: datetime) -> str:
    """Return a time as the whole microseconds that scores are compared by."""
    return str(_since(_EPOCH, time))


def from_instant(text: str | bytes) -> datetime:
    """Return the time that `instant` wrote, as a server writes it."""
    return _EPOCH + int(float(text)) * _MICROSECOND


def _is_storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _since(start: datetime, time: datetime) -> int:
    return (time - start) // _MICROSECOND

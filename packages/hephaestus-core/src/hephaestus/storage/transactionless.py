"""What a storage without transactions answers to those who want one."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from hephaestus.errors import InvalidArgument
from hephaestus.storage.contract import Transaction


class Transactionless:
    """The verbs of a storage that has no transactions: they refuse."""

    def transaction(self, run_id: str) -> AbstractAsyncContextManager[Transaction]:
        """Refuse to execute a transactional step.

        Raises:
            InvalidArgument: Always.
        """
        raise InvalidArgument(
            f"{type(self).__name__} has no transactions, and run {run_id} has a transactional "
            "step; use hephaestus-postgres"
        )

    def when_committed(self, session: object, call: Callable[[], object]) -> None:  # noqa: ARG002  # never called
        """Refuse a session of the caller's; see `refuse_session`."""
        self.refuse_session(session)

    def refuse_session(self, session: object) -> None:
        """Refuse a session of the caller's.

        Raises:
            InvalidArgument: There is one.
        """
        if session is not None:
            raise InvalidArgument(
                f"{type(self).__name__} has no transactions, so session= cannot be honoured; "
                "leave it out"
            )

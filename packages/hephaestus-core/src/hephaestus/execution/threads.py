"""Running a plain function without blocking the event loop."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def in_thread(function: Callable[[], T], name: str) -> T:
    """Return what the function returns, run in a daemon thread of its own.

    A pool would be blocked by functions that nobody waits for any more, and would keep the
    process alive for them.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        try:
            result = context.run(function)
        except BaseException as error:  # noqa: BLE001  # the awaiting task raises it
            _tell(loop, future, future.set_exception, _carried(error))
        else:
            _tell(loop, future, future.set_result, result)

    threading.Thread(target=run, name=name, daemon=True).start()
    return await future


def _tell(
    loop: asyncio.AbstractEventLoop,
    future: "asyncio.Future[T]",
    settle: Callable[[T], None] | Callable[[BaseException], None],
    value: object,
) -> None:
    def deliver() -> None:
        if not future.done():
            settle(value)  # type: ignore[arg-type]  # the two setters differ in this alone

    try:
        loop.call_soon_threadsafe(deliver)
    except RuntimeError:
        # The loop has closed: the app is gone, and with it whoever would take the outcome.
        return


def _carried(error: BaseException) -> BaseException:
    # A future refuses StopIteration, and SystemExit in a thread ends nothing but the thread.
    if isinstance(error, Exception) and not isinstance(error, StopIteration):
        return error
    carried = RuntimeError(f"{type(error).__name__}: {error}")
    carried.__cause__ = error
    return carried

"""RunnerContract: all topics of the suite in one class."""

from hephaestus.testing.runner.cancels import Cancels
from hephaestus.testing.runner.closing import Closing
from hephaestus.testing.runner.events import Events
from hephaestus.testing.runner.failures import Failures
from hephaestus.testing.runner.halts import Halts
from hephaestus.testing.runner.limits import Limits
from hephaestus.testing.runner.outages import Outages
from hephaestus.testing.runner.room import Room
from hephaestus.testing.runner.running import Running
from hephaestus.testing.runner.strangers import Strangers
from hephaestus.testing.runner.takeover import TakeOver
from hephaestus.testing.runner.threads import Threads
from hephaestus.testing.runner.timers import Timers
from hephaestus.testing.runner.transacting import Transacting
from hephaestus.testing.runner.waits import Waits


class RunnerContract(
    Running,
    Room,
    Threads,
    Limits,
    Failures,
    Timers,
    Events,
    Halts,
    Cancels,
    Waits,
    Closing,
    TakeOver,
    Outages,
    Strangers,
    Transacting,
):
    """What every runner has to do.

    Subclass it in a test module, as `class TestMyRunner(RunnerContract)`; override the fixture
    `storage` to return an empty storage, and `make_runner` to return a runner with the given
    options. The tests are coroutines: set pytest-asyncio's `asyncio_mode` to `auto`.

    Where the storage is transactional, override the fixtures `touch` and `touched` as well: they
    make and count effects of transactional steps, which are tested nowhere else.
    """

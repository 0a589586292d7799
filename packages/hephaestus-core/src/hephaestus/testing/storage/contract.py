"""StorageContract: every clause of the storage contract, for an adapter to adopt."""

from hephaestus.testing.storage.atomicity import CommittingAllOrNothing
from hephaestus.testing.storage.claiming import Claiming
from hephaestus.testing.storage.committing import Committing, CommittingOnce
from hephaestus.testing.storage.containment import Containment
from hephaestus.testing.storage.creating import Creating
from hephaestus.testing.storage.damage import ReadingDamaged
from hephaestus.testing.storage.families import FilteringWorkflows
from hephaestus.testing.storage.filtering import Filtering
from hephaestus.testing.storage.handover import HandingOver
from hephaestus.testing.storage.histories import Histories
from hephaestus.testing.storage.inbox import Inbox
from hephaestus.testing.storage.isolation import Isolation
from hephaestus.testing.storage.leases import Adopting, Releasing, Renewing
from hephaestus.testing.storage.opening import Opening
from hephaestus.testing.storage.paging import Ids, Paging
from hephaestus.testing.storage.reading import Reading
from hephaestus.testing.storage.restoring import Restoring
from hephaestus.testing.storage.retention import Deleting, Pruning
from hephaestus.testing.storage.sessions import Sessions
from hephaestus.testing.storage.step_transactions import StepTransactions
from hephaestus.testing.storage.timers import Timers
from hephaestus.testing.storage.unseen import EndedLeases, UnseenMessages
from hephaestus.testing.storage.values import Values


class StorageContract(
    Opening,
    Reading,
    ReadingDamaged,
    Restoring,
    Creating,
    Committing,
    CommittingOnce,
    CommittingAllOrNothing,
    Inbox,
    Claiming,
    Renewing,
    Releasing,
    Adopting,
    Timers,
    UnseenMessages,
    EndedLeases,
    HandingOver,
    Filtering,
    FilteringWorkflows,
    Containment,
    Paging,
    Ids,
    Histories,
    Deleting,
    Pruning,
    Values,
    Isolation,
    Sessions,
    StepTransactions,
):
    """Proves a storage; subclass it, give a `storage` fixture, and run pytest.

        class TestMyStorage(StorageContract):
            @pytest.fixture
            async def storage(self):
                storage = MyStorage()
                await storage.open()
                yield storage
                await storage.close()

    The fixture yields a storage that is open and empty. It runs with pytest-asyncio in its mode
    `auto`. Two more fixtures are asked for what only the adapter can do: `damage` returns an async
    function that makes the stored state of a run id unreadable, and, where the storage is
    transactional, `begin` returns a function that opens a transaction of the caller's.
    """

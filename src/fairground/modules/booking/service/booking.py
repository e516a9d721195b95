"""The implementation of the contract `Bookings`."""

from fairground.modules.booking.service.answering import Answering
from fairground.modules.booking.service.availability import AvailabilityDesk
from fairground.modules.booking.service.ending import Ending
from fairground.modules.booking.service.free_days import FreeDaysDesk
from fairground.modules.booking.service.history import History
from fairground.modules.booking.service.reading import Reading
from fairground.modules.booking.store.allocations import attempts_to_break_the_guard
from fairground.modules.booking.tables import ALLOCATION_GUARD
from fairground.platform.db.guard_proof import prove_guard


class BookingService(AvailabilityDesk, FreeDaysDesk, History, Answering, Ending, Reading):
    """Everything about bookings; each part stands in a file of its own."""

    async def prove_guard(self) -> None:
        """Raise GuardError when the database would let a time be taken twice; nothing may be served then."""
        async with self._db.read() as tx:
            now = await tx.current_time()
        await prove_guard(self._db, guard=ALLOCATION_GUARD, attempts=attempts_to_break_the_guard(now))

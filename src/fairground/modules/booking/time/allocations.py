"""Taking and giving back a provider's time: here, and nowhere else, a double booking is refused."""

from datetime import datetime

from fairground.modules.booking.time import store
from fairground.modules.booking.time.domain.allocation import Allocation
from fairground.modules.booking.time.tables import ALLOCATION_GUARD
from fairground.platform.db import probes
from fairground.platform.db.database import Database, WriteTx


class Allocations:
    """Every change of a provider's free times invalidates the cached responses that show them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def claim(self, tx: WriteTx, allocation: Allocation, *, expires_at: datetime) -> bool:
        """Hold the time. Return False when a live allocation overlaps it."""
        if not await store.claim_time(tx, allocation, expires_at=expires_at):
            return False
        tx.invalidate(*allocation.tags)
        return True

    async def release(self, tx: WriteTx, allocation: Allocation) -> None:
        """Give the time back; a time that was given back already stays so."""
        await store.release_time(tx, booking_id=allocation.booking_id)
        tx.invalidate(*allocation.tags)

    async def prove_guard(self) -> None:
        """Raise GuardError when the database would let a time be taken twice; nothing may be served then."""
        async with self._db.read() as tx:
            now = await tx.current_time()
        await probes.prove_guard(self._db, guard=ALLOCATION_GUARD, attempts=store.attempts_to_break_the_guard(now))

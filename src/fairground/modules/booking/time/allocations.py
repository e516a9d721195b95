"""Allocations: taking and releasing a provider's time. A double booking is refused here, and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairground.contracts.booking.availability import tags_of_time
from fairground.modules.booking.time.store import allocations as store
from fairground.modules.booking.time.tables import ALLOCATION_GUARD
from fairground.platform.db import probes
from fairground.platform.db.database import Database, WriteTx


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
    """The time of a provider that one booking takes."""

    booking_id: UUID
    provider_id: UUID
    provider_slug: str
    starts_at: datetime
    ends_at: datetime

    @property
    def tags(self) -> tuple[str, ...]:
        """Of the cached responses that show the time as free or taken."""
        return tuple(
            tag
            for provider in (self.provider_id, self.provider_slug)
            for tag in tags_of_time(provider, starts_at=self.starts_at, ends_at=self.ends_at)
        )


class Allocations:
    """Every change of a provider's free times invalidates the cached responses that show them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def claim(self, tx: WriteTx, allocation: Allocation, *, expires_at: datetime) -> bool:
        """Hold the time. Return False when a live allocation overlaps it."""
        is_claimed = await store.claim_time(
            tx,
            booking_id=allocation.booking_id,
            provider_id=allocation.provider_id,
            starts_at=allocation.starts_at,
            ends_at=allocation.ends_at,
            expires_at=expires_at,
        )
        if is_claimed:
            tx.invalidate(*allocation.tags)
        return is_claimed

    async def release(self, tx: WriteTx, allocation: Allocation) -> None:
        """Give the time back; a time that was given back already stays so."""
        await store.release_time(tx, booking_id=allocation.booking_id)
        tx.invalidate(*allocation.tags)

    async def prove_guard(self) -> None:
        """Raise GuardError when the database would let a time be taken twice; nothing may be served then."""
        async with self._db.read() as tx:
            now = await tx.current_time()
        await probes.prove_guard(self._db, guard=ALLOCATION_GUARD, attempts=store.attempts_to_break_the_guard(now))

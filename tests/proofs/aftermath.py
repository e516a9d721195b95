"""What is there after servers were killed: bookings, the times they take, and the money at the card processor."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from fairground.contracts.booking import BookingStatus
from fairground.entrypoints.compose import Program
from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.time.tables import AllocationRow
from fairground.modules.payments.module import SANDBOX_FILE
from fairground.modules.payments.tables import PaymentRow
from fairground.platform.db.database import Database
from fairground.platform.jobs.tables import JobRow
from tests.support.market import compose_for
from tests.support.servers import Installation

_PROGRESS: Final = (BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.CONFIRMED, BookingStatus.COMPLETED)
_PAID: Final = {BookingStatus.CONFIRMED, BookingStatus.COMPLETED}
_OPEN: Final = {BookingStatus.HELD, BookingStatus.REQUESTED}


async def recover(installation: Installation, *, after: timedelta) -> None:
    """Start the program once more, so much later, and let it work until nothing is due."""
    program = compose_for(installation, is_secondary=False)
    program.db.backend.acquire_server_lock()
    program.db.clock_shift = after
    async with program.running(), asyncio.timeout(300):
        quiet = 0
        # Twice, because the processor's events come by themselves.
        while quiet < 2:
            await asyncio.sleep(0.3)
            quiet = 0 if await _count_due(program.db) else quiet + 1


async def _count_due(db: Database) -> int:
    async with db.read() as tx:
        is_due = (JobRow.state == "running") | ((JobRow.state == "ready") & (JobRow.run_at <= tx.now()))
        return int(await tx.scalar(select(func.count()).where(is_due)))


@dataclass(frozen=True)
class Intent:
    """Money at the processor: one of its objects, and what was given back of it."""

    payment_id: UUID
    status: str
    left_minor: int


@dataclass(frozen=True)
class Aftermath:
    bookings: Mapping[UUID, BookingStatus]
    times: Mapping[UUID, str]
    """The state of the allocation of each booking."""
    references: Mapping[UUID, UUID]
    """The booking that each payment is for."""
    intents: list[Intent]
    dead_jobs: int

    @classmethod
    async def look(cls, program: Program, installation: Installation) -> "Aftermath":
        async with program.db.read() as tx:
            bookings = await tx.all(select(BookingRow.id, BookingRow.status))
            times = await tx.all(select(AllocationRow.booking_id, AllocationRow.state))
            payments = await tx.all(select(PaymentRow.id, PaymentRow.reference_id))
            dead = await tx.scalar(select(func.count()).where(JobRow.state == "dead"))
        assert len(times) == len({booking_id for booking_id, _ in times})
        return cls(
            bookings={booking_id: BookingStatus(status) for booking_id, status in bookings},
            times=dict(map(tuple, times)),
            references=dict(map(tuple, payments)),
            intents=_read_sandbox(installation),
            dead_jobs=dead,
        )

    def check_nothing_was_lost(self, acknowledged: Mapping[UUID, BookingStatus]) -> None:
        for booking_id, status in acknowledged.items():
            assert booking_id in self.bookings, f"The booking {booking_id} was {status}, and is gone."
            assert _PROGRESS.index(self.bookings[booking_id]) >= _PROGRESS.index(status)

    def check_times(self) -> None:
        """Each live booking has an allocation of its time, and no allocation exists without a booking."""
        assert self.times == {booking_id: _time_of(status) for booking_id, status in self.bookings.items()}

    def check_money(self) -> None:
        """Each authorised intent belongs to a request, and each captured one to a confirmed or completed booking."""
        for intent in self.intents:
            booking_id = self.references.get(intent.payment_id)
            status = self.bookings[booking_id] if booking_id else None
            if intent.status == "requires_capture":
                assert status is BookingStatus.REQUESTED, f"Money is reserved for a booking that is {status}."
            if intent.status == "succeeded" and intent.left_minor:
                assert status in _PAID, f"Money was taken for a booking that is {status}."
        paid = Counter(intent.payment_id for intent in self.intents if intent.status == "succeeded")
        assert len(paid) == sum(status in _PAID for status in self.bookings.values())
        assert set(paid.values()) <= {1}

    def check_everything_has_ended(self) -> None:
        assert not _OPEN & set(self.bookings.values())
        assert {intent.status for intent in self.intents} <= {"succeeded", "canceled"}


def _time_of(status: BookingStatus) -> str:
    if status in _OPEN:
        return "held"
    return "confirmed" if status in _PAID else "released"


def _read_sandbox(installation: Installation) -> list[Intent]:
    connection = sqlite3.connect(installation.data_dir / SANDBOX_FILE)
    refunded: dict[str, int] = dict(
        connection.execute("SELECT payment_intent, sum(amount) FROM refund GROUP BY payment_intent").fetchall()
    )
    bodies: list[dict[str, Any]] = [json.loads(body) for (body,) in connection.execute("SELECT body FROM intent")]
    connection.close()
    return [
        Intent(
            payment_id=UUID(body["metadata"]["payment_id"]),
            status=body["status"],
            left_minor=body["amount_received"] - refunded.get(body["id"], 0),
        )
        for body in bodies
    ]

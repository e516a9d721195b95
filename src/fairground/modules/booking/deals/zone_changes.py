"""Which bookings a new zone of their provider concerns (ADR-0024)."""

from datetime import datetime
from uuid import UUID

from fairground.contracts.providers import BookingAtOtherTime
from fairground.kernel.zones import get_zone
from fairground.modules.booking.deals.domain.record import BookingRecord
from fairground.modules.booking.deals.store import lists
from fairground.platform.db.database import Database


class ZoneChanges:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        async with self._db.read() as tx:
            ahead = await lists.list_ahead(tx, provider_id=provider_id)
        return [_described(record, timezone) for record in ahead if _is_at_other_time(record, timezone)]


def _is_at_other_time(record: BookingRecord, timezone: str) -> bool:
    times = (record.starts_at, record.ends_at)
    return any(_wall_time(at, record.timezone) != _wall_time(at, timezone) for at in times)


def _described(record: BookingRecord, timezone: str) -> BookingAtOtherTime:
    return BookingAtOtherTime(
        booking_id=record.id,
        service_name=record.service_name,
        starts_at=record.starts_at,
        ends_at=record.ends_at,
        timezone=record.timezone,
        wall_time=_wall_time(record.starts_at, record.timezone),
        new_timezone=timezone,
        new_wall_time=_wall_time(record.starts_at, timezone),
    )


def _wall_time(instant: datetime, timezone: str) -> str:
    return instant.astimezone(get_zone(timezone)).replace(tzinfo=None).isoformat(timespec="minutes")

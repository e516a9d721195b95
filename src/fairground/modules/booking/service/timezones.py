"""What a provider's zone means to hours and bookings (ADR-0024)."""

from datetime import datetime
from uuid import UUID

from fairground.contracts.booking.tags import hours_tag
from fairground.contracts.providers import BookingAtOtherTime, ProviderTimezoneSet
from fairground.kernel.zones import get_zone
from fairground.modules.booking.domain.record import BookingRecord
from fairground.modules.booking.store import bookings, rules
from fairground.platform.db.database import Database


class ProviderTimezones:
    """The implementation of the catalog's contract `ProviderSchedules`."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        async with self._db.write() as tx:
            is_newer = await rules.raise_zone(
                tx, provider_id=change.provider_id, timezone=change.timezone, version=change.version
            )
            if is_newer:
                tx.touch(hours_tag(change.provider_id), hours_tag(change.slug))

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        async with self._db.read() as tx:
            ahead = await bookings.list_ahead(tx, provider_id=provider_id)
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

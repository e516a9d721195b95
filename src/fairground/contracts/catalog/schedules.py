"""What the catalog asks of the module that keeps the hours and bookings of providers."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from fairground.contracts.catalog.events import ProviderTimezoneSet
from fairground.contracts.dto import DTO


class BookingAtOtherTime(DTO):
    """A booking whose instant is no longer at the wall time of the provider at which it was made."""

    booking_id: UUID
    service_name: str
    starts_at: datetime
    ends_at: datetime
    timezone: str
    """The provider's zone when the booking was made."""
    wall_time: str
    """Of the start in that zone: "2027-01-12T09:00"."""
    new_timezone: str
    new_wall_time: str


class ProviderSchedules(Protocol):
    """Implemented by booking, which is built after the catalog, so the catalog looks it up at each call."""

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None:
        """Let hours keep their wall times in the new zone. A change that is not newer than the last one is ignored.

        The event brings the same change; this call only makes it visible before the answer of the change.
        """
        ...

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:
        """Return live bookings ahead whose wall time in a zone is not the one they were made at, by their start."""
        ...

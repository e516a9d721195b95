"""The time of a provider that one booking takes."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fairground.contracts.booking.availability import tags_of_time


@dataclass(frozen=True, kw_only=True, slots=True)
class Allocation:
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

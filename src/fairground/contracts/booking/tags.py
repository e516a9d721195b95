"""What cached answers depend on that booking owns. Each function returns tags; booking renews them."""

from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

_LONGEST: Final = timedelta(hours=24)  # of a service: a start so long before a booking still runs into it
_WESTMOST, _EASTMOST = timedelta(hours=-12), timedelta(hours=14)


def hours_tag(provider: UUID | str) -> str:
    """Name all free times of a provider, by its id or by its slug."""
    return f"availability:{provider}"


def calendar_tag(provider: UUID | str) -> str:
    """Name whatever is shown of a provider's taken times, on any day."""
    return f"availability:{provider}:any"


def day_tags(provider: UUID | str, *, first: date, last: date) -> tuple[str, ...]:
    """Name the free times of a provider on each day, both included, as the provider's calendar has them."""
    days = range((last - first).days + 1)
    return tuple(f"{hours_tag(provider)}:{first + timedelta(days=number)}" for number in days)


def tags_of_time(provider: UUID | str, *, starts_at: datetime, ends_at: datetime) -> tuple[str, ...]:
    """Name what a taken time changes: the days, in whatever zone the calendar is kept, on which less can be chosen."""
    first = (starts_at - _LONGEST + _WESTMOST).date()
    return calendar_tag(provider), *day_tags(provider, first=first, last=(ends_at + _EASTMOST).date())

"""Figures that booking and reviews announce. Each method may be the end of a job, which it marks done."""

from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted
from fairground.contracts.reviews import ProviderRated
from fairground.modules.providers.service.access import announce
from fairground.modules.providers.store import profiles
from fairground.platform.db.database import Database


class ProviderFigures:
    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def record_completion(self, event: BookingCompleted) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref(tx, event.provider_id)
            count = event.provider_completed_count
            if await profiles.raise_book_count(tx, event.provider_id, book_count=count) and provider is not None:
                await announce(tx, provider)

    async def record_rating(self, event: ProviderRated) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref(tx, event.provider_id)
            is_newer = await profiles.raise_rating(
                tx, event.provider_id, rating_sum=event.rating_sum, rating_count=event.rating_count
            )
            if is_newer and provider is not None:
                await announce(tx, provider)

    async def record_hours(self, event: AvailabilityRulesSet) -> None:
        async with self._db.write(ends_job=True) as tx:
            await profiles.set_has_hours(tx, event.provider_id, has_hours=event.has_hours, version=event.version)

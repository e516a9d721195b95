"""What later modules tell us. Each method may be the end of a job, which it then marks done in its transaction."""

from fairground.contracts.booking import AvailabilityRulesSet, AvailabilitySummarySet, BookingCompleted
from fairground.contracts.catalog.tags import free_tag, provider_tag
from fairground.contracts.reviews import ProviderRated
from fairground.modules.catalog.domain.free_days import as_text, open_days
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.store import free_days, profiles, projections


class Projections(CatalogBase):
    async def record_completion(self, event: BookingCompleted) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref(tx, event.provider_id)
            count = event.provider_completed_count
            if await projections.raise_book_count(tx, event.provider_id, book_count=count) and provider is not None:
                # The lists follow within their minute: they are asked for too often to be made anew at each booking.
                tx.touch(provider_tag(provider.id), provider_tag(provider.slug))
                await self._list_anew(tx, event.provider_id)

    async def record_rating(self, event: ProviderRated) -> None:
        async with self._db.write(ends_job=True) as tx:
            provider = await profiles.find_ref(tx, event.provider_id)
            is_news = await projections.raise_rating(
                tx, event.provider_id, rating_sum=event.rating_sum, rating_count=event.rating_count
            )
            if is_news and provider is not None:
                await self._show_anew(tx, provider)

    async def record_hours(self, event: AvailabilityRulesSet) -> None:
        async with self._db.write(ends_job=True) as tx:
            await projections.set_has_hours(tx, event.provider_id, has_hours=event.has_hours, version=event.version)

    async def record_free_days(self, event: AvailabilitySummarySet) -> None:
        week = [as_text(last) for last in event.week]
        days = {day: as_text(last) for day, last in event.days.items()}
        async with self._db.write(ends_job=True) as tx:
            told_anew = await free_days.replace_free_days(
                tx, event.provider_id, version=event.version, timezone=event.timezone, week=week, days=days
            )
            if told_anew is None or told_anew:
                bits = open_days("".join(week), days)
                # A booking changes a day, and seldom a bit, so the entries are seldom written for it.
                if await projections.set_open_days(tx, event.provider_id, open_days=bits):
                    await self._list_anew(tx, event.provider_id)
            tx.touch(*([free_tag(None)] if told_anew is None else map(free_tag, told_anew)))

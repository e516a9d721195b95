"""The read model: rows of lists and search, written from snapshots of providers and from availability summaries.

Its tags are invalidated in the transaction that writes its rows, so a list is never cached again from older rows.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final
from uuid import UUID

from fairground.contracts.booking import AvailabilitySummarySet
from fairground.contracts.discovery import RebuildStep, free_tag, list_tag
from fairground.contracts.providers import ProvidersChanged, ProviderSnapshot, ProviderSnapshots, ProviderStatus
from fairground.kernel.folding import fold
from fairground.kernel.messages import Job, Queue
from fairground.modules.discovery.domain.availability_summary import last_start_text, open_days
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.documents import Document, describe
from fairground.modules.discovery.store import availability_summaries, listed_providers, price_bands
from fairground.modules.discovery.store.search import SearchEngine
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE, NO_PRICE_BAND
from fairground.platform.db.database import Database, WriteTx

_STEP_MAX: Final = 500  # providers in one transaction, which bounds how long others wait for the write lock
# These change with each booking, too often to invalidate lists. Lists show them when their entries expire.
_NOT_INVALIDATING: Final = frozenset({"version", "book_count"})
_IN_ENTRIES: Final = (
    "vertical", "categories", "location", "lat", "lng", "price_from_minor", "rating_avg", "book_count", "created_at",
)  # fmt: skip


class RebuildReadModel(Job):
    """One step of writing the read model again."""

    topic: ClassVar = "discovery.rebuild_read_model.v1"
    queue: ClassVar = Queue.DISCOVERY
    after: UUID | None


class ReadModel:
    def __init__(self, *, db: Database, providers: ProviderSnapshots, engine: SearchEngine, prices: PriceScale) -> None:
        self._db = db
        self._providers = providers
        self._engine = engine
        self._prices = prices

    async def on_providers_changed(self, event: ProvidersChanged) -> None:
        snapshots = await self._providers.list_snapshots(provider_ids=event.versions.keys())
        documents = await _describe(snapshots)
        async with self._db.write(ends_job=True) as tx:
            await self._write(tx, snapshots, documents)

    async def on_availability_summary_set(self, event: AvailabilitySummarySet) -> None:
        week = [last_start_text(last) for last in event.week]
        days = {day: last_start_text(last) for day, last in event.days.items()}
        async with self._db.write(ends_job=True) as tx:
            changed = await availability_summaries.replace_summary(
                tx,
                event.provider_id,
                version=event.version,
                timezone=event.timezone,
                week=week,
                days=days,
                min_notice_hours=event.min_notice_hours,
            )
            if changed is None or changed:
                bits = open_days("".join(week), days, has_own_notice=event.min_notice_hours is not None)
                # A booking often changes the last start of a day, but seldom whether the day is open.
                if await listed_providers.set_open_days(tx, event.provider_id, open_days=bits):
                    await self._engine.set_open_days(tx, event.provider_id, open_days=bits)
            tx.invalidate(*([free_tag(None)] if changed is None else map(free_tag, changed)))

    async def rebuild(self, *, after: UUID | None) -> RebuildStep | None:
        snapshots = await self._providers.list_snapshots_after(after=after, limit=_STEP_MAX)
        if not snapshots:
            return None
        documents = await _describe(snapshots)
        async with self._db.write() as tx:
            await self._write(tx, snapshots, documents, writes_unchanged=True)
        return RebuildStep(count=len(snapshots), last_id=snapshots[-1].id)

    async def rebuild_all(self) -> None:
        after = None
        while step := await self.rebuild(after=after):
            after = step.last_id

    async def on_rebuild(self, job: RebuildReadModel) -> None:
        step = await self.rebuild(after=job.after)
        if step is not None:
            async with self._db.write(ends_job=True) as tx:
                await tx.enqueue(RebuildReadModel(after=step.last_id), dedup_key=str(step.last_id))

    async def start(self) -> None:
        """Rebuild a read model that has no rows yet, and recount price bands that a pack has changed."""
        async with self._db.read() as tx:
            is_empty = not await listed_providers.has_any(tx)
            counted_by = await price_bands.list_bands(tx, ALL_PROVIDERS_SCOPE)
        if is_empty:
            async with self._db.write() as tx:
                await tx.enqueue(RebuildReadModel(after=None), dedup_key="first")
        if set(counted_by) != {NO_PRICE_BAND, *self._prices.fine_minor}:
            async with self._db.write() as tx:
                await price_bands.recount(tx, scale_minor=self._prices.fine_minor)

    async def _write(
        self,
        tx: WriteTx,
        snapshots: Sequence[ProviderSnapshot],
        documents: Mapping[UUID, Document],
        *,
        writes_unchanged: bool = False,
    ) -> None:
        """Write the rows of the snapshots that are newer than what is stored.

        Every writer takes locks in this order, or two would deadlock: summaries, locations, price bands, spellings.

        Args:
            writes_unchanged: Also write the rows of equal snapshots, because the rules of folding may have changed.
        """
        open_days_of = await availability_summaries.lock_summaries(tx, [each.id for each in snapshots])
        before = await listed_providers.list_rows(tx, open_days_of.keys())
        newer = [each for each in snapshots if _is_newer(each, before.get(each.id), or_equal=writes_unchanged)]
        listed = {each.id: each for each in newer if each.status is ProviderStatus.APPROVED}
        removed = [each.id for each in newer if each.id in before and each.id not in listed]
        rows = {each: listed_providers.row_of(snapshot) for each, snapshot in listed.items()}
        changed = {
            each: set(row) if writes_unchanged else _differing(row, before.get(each)) for each, row in rows.items()
        }
        if not newer:
            return
        await listed_providers.replace_rows(tx, [row for each, row in rows.items() if changed[each]])
        await listed_providers.delete_rows(tx, removed)
        names = {each: listed[each].business_name for each, fields in changed.items() if "business_name" in fields}
        await listed_providers.replace_name_phrases(tx, names)
        await listed_providers.delete_name_phrases(tx, removed)
        locations = {fold(listed[each].location) for each in rows if "location" in changed[each]}
        await listed_providers.learn_locations(tx, locations)
        moved = [each for each, fields in changed.items() if not fields.isdisjoint(_IN_ENTRIES)]
        entries = [
            row for each in moved for row in listed_providers.entry_rows(listed[each], open_days=open_days_of[each])
        ]
        await listed_providers.replace_entries(tx, [*moved, *removed], entries, scale_minor=self._prices.fine_minor)
        await self._engine.drop(tx, removed)
        await self._engine.put(tx, [replace(documents[each], open_days=open_days_of[each]) for each in listed])
        touched = {rows[each]["vertical"] for each, fields in changed.items() if fields - _NOT_INVALIDATING}
        touched |= {before[each]["vertical"] for each in removed}
        if touched:
            tx.invalidate(list_tag(None), *map(list_tag, touched))


def _is_newer(snapshot: ProviderSnapshot, row: Mapping[str, Any] | None, *, or_equal: bool) -> bool:
    if row is None:
        return True
    version: int = row["version"]
    return version < snapshot.version or (or_equal and version == snapshot.version)


def _differing(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> set[str]:
    """Return the names of the columns that differ."""
    return {name for name, value in row.items() if before is None or before[name] != value}


async def _describe(snapshots: Sequence[ProviderSnapshot]) -> dict[UUID, Document]:
    """Return the documents of approved providers; their open days are filled in by the transaction that writes them."""
    approved = [each for each in snapshots if each.status is ProviderStatus.APPROVED]
    # In a thread: a step of an import takes tens of milliseconds.
    return await asyncio.get_running_loop().run_in_executor(
        None, lambda: {each.id: _document_of(each) for each in approved}
    )


def _document_of(provider: ProviderSnapshot) -> Document:
    return describe(
        provider_id=provider.id,
        vertical=provider.vertical,
        business_name=provider.business_name,
        location=provider.location,
        categories=provider.categories,
        services=provider.service_names,
        texts=(provider.custom_subtitle, provider.bio),
        price_from_minor=provider.price_from_minor,
        book_count=provider.book_count,
        rating_avg=provider.rating_avg,
        open_days=0,
    )

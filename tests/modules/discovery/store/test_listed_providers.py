"""Entries and price bands follow every change, and equal what a rebuild from scratch makes."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable
from datetime import date, time
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from fairground.contracts.booking import AvailabilitySummarySet, BookingCompleted
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.providers import OwnProvider, ProfileChanges
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from fairground.modules.discovery.store import availability_summaries, listed_providers, price_bands
from fairground.modules.discovery.tables import ListedProviderRow, ListEntryRow, PriceBandRow
from fairground.modules.providers.tables import ProviderRow
from fairground.platform.db.database import Database, WriteTx
from fairground.platform.db.dialect.base import DatabaseUnavailable
from tests.support.directory import Directory
from tests.support.proofs import Dose
from tests.support.providers import Desk, owner_of

Everything = tuple[list[Any], list[Any]]


async def _kept(db: Database) -> Everything:
    async with db.read() as tx:
        entries = await tx.all(select(*ListEntryRow.__table__.c).order_by(ListEntryRow.scope, ListEntryRow.provider_id))
        bands = select(*PriceBandRow.__table__.c).where(PriceBandRow.providers != 0)
        return list(entries), list(await tx.all(bands.order_by(PriceBandRow.scope, PriceBandRow.from_minor)))


async def _figures(db: Database) -> dict[UUID, tuple[int, tuple[int, int]]]:
    """Return of each provider how many bookings it has, and the sum and number of its ratings."""
    columns = (ProviderRow.id, ProviderRow.book_count, ProviderRow.rating_sum, ProviderRow.rating_count)
    async with db.read() as tx:
        return {row.id: (row.book_count, (row.rating_sum, row.rating_count)) for row in await tx.all(select(*columns))}


async def _from_scratch(db: Database, catalog: Directory) -> Everything:
    async with db.write() as tx:
        await tx.execute(delete(ListEntryRow))
        await tx.execute(delete(ListedProviderRow))
    await catalog.read_model.rebuild_all()
    async with db.write() as tx:
        await price_bands.recount(tx, scale_minor=catalog.prices.fine_minor)
    return await _kept(db)


def _completed(provider: OwnProvider, count: int) -> BookingCompleted:
    return BookingCompleted(
        booking_id=uuid7(), customer_id=uuid7(), provider_id=provider.id, provider_completed_count=count
    )


class _Changes:
    """Changes of all kinds, in any order."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self._desk = desk
        self._chance = chance
        self._services: dict[UUID, list[UUID]] = {}
        self._version = 0
        self.booked: dict[UUID, int] = defaultdict(int)
        self.rated: dict[UUID, int] = defaultdict(int)
        """How many bookings and ratings each provider has, whatever the order in which the events came."""

    async def make_one(self, provider: OwnProvider) -> None:
        changes = [self._offer, self._withdraw, self._move, self._regroup, self._book, self._rate, self._open]
        await self._chance.choice(changes)(provider)

    async def _offer(self, provider: OwnProvider) -> None:
        price = self._chance.choice([100, 9_999, 10_000, 250_000, 9_999_999])
        now = await self._desk.catalog.get_own_provider(owner_id=owner_of(provider))
        offered = await self._desk.offer(provider, price_minor=price, category=now.service_categories[0])
        self._services.setdefault(provider.id, []).append(offered)

    async def _withdraw(self, provider: OwnProvider) -> None:
        if services := self._services.get(provider.id):
            await self._desk.catalog.withdraw_service(owner_id=owner_of(provider), service_id=services.pop())

    async def _move(self, provider: OwnProvider) -> None:
        lat = self._chance.choice([None, 59.9, -33.9])
        location = self._chance.choice(["Oslo", "Cape Town"])
        await self._change(provider, location=location, lat=lat, lng=None if lat is None else 18.4)

    async def _regroup(self, provider: OwnProvider) -> None:
        await self._change(provider, categories=self._chance.sample(["dj", "band", "jazz_ensemble"], k=2))

    async def _change(self, provider: OwnProvider, **changes: Any) -> None:
        await self._desk.catalog.change_provider(
            owner_id=owner_of(provider), provider_id=provider.id, changes=ProfileChanges(**changes)
        )

    async def _book(self, provider: OwnProvider) -> None:
        catalog: Any = self._desk.catalog
        count = self._count_after(self.booked[provider.id])
        self.booked[provider.id] = max(count, self.booked[provider.id])
        await catalog.record_completion(_completed(provider, count))

    async def _rate(self, provider: OwnProvider) -> None:
        catalog: Any = self._desk.catalog
        count = self._count_after(self.rated[provider.id])
        self.rated[provider.id] = max(count, self.rated[provider.id])
        await catalog.record_rating(
            ProviderRated(provider_id=provider.id, rating_sum=3 * count + 1, rating_count=count)
        )

    def _count_after(self, latest: int) -> int:
        """Return the count of the next event, or of one that is late or delivered twice."""
        return self._chance.choice([latest + 1, latest + 1, max(1, latest), self._chance.randint(1, latest + 1)])

    async def _open(self, provider: OwnProvider) -> None:
        catalog: Any = self._desk.catalog
        self._version += 1
        week = [self._chance.choice([None, time(17)]) for _ in range(7)]
        days = {date(2026, 12, self._chance.randint(1, 31)): self._chance.choice([None, time(12)])}
        summary = AvailabilitySummarySet(
            provider_id=provider.id, version=self._version, timezone="UTC", week=week, days=days
        )
        await catalog.record_free_days(summary)


@pytest.mark.proof
@pytest.mark.timeout(3600)
async def test_lists_and_figures_equal_a_recount_after_random_changes(
    db: Database, catalog: Directory, desk: Desk, dose: Dose
) -> None:
    await catalog.read_model.start()
    chance = random.Random(11)
    changes = _Changes(desk, chance)
    providers = [await chance.choice([desk.approved, desk.draft, desk.submitted])() for _ in range(8)]
    for _ in range(dose(small=60, full=10_000)):
        await changes.make_one(chance.choice(providers))
    await catalog.follow_changes()
    assert await _figures(db) == {
        provider.id: (
            changes.booked[provider.id],
            (3 * changes.rated[provider.id] + 1 if changes.rated[provider.id] else 0, changes.rated[provider.id]),
        )
        for provider in providers
    }
    kept = await _kept(db)
    assert kept[0]
    assert kept[1]
    assert {"oslo", "cape town"} & {entry.folded_location for entry in kept[0]}
    assert any(entry.open_days for entry in kept[0])
    assert kept == await _from_scratch(db, catalog)


async def _rush(desk: Desk, catalog: Directory) -> None:
    """Change two providers of one list in all ways at once."""
    providers = [await desk.approved(price_minor=5_000) for _ in range(2)]
    work: list[Callable[[], Awaitable[object]]] = []
    for provider in providers:
        for number in range(1, 5):
            work.append(lambda p=provider, n=number: desk.offer(p, price_minor=1_000 * n))  # type: ignore[misc]
            work.append(lambda p=provider, n=number: catalog.record_completion(_completed(p, n)))  # type: ignore[misc]

    async def change_and_follow(change: Callable[[], Awaitable[object]]) -> None:
        await change()
        await catalog.follow_changes()

    await asyncio.gather(*map(change_and_follow, work))


async def test_changes_at_the_same_moment_leave_entries_and_counts_right(
    db: Database, catalog: Directory, desk: Desk
) -> None:
    await catalog.read_model.start()
    await _rush(desk, catalog)
    assert await _kept(db) == await _from_scratch(db, catalog)


async def test_the_control_without_the_lock_on_a_summary_an_older_snapshot_is_written(
    db: Database, catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    if db.backend.ops.name == "sqlite":
        pytest.skip("NOT RUN: SQLite has one writer, so there is nothing to switch off")
    provider = await desk.approved(price_minor=5_000)
    await catalog.read_model.start()
    await catalog.follow_changes()
    has_read, others_done = asyncio.Event(), asyncio.Event()
    real_list = listed_providers.list_rows

    async def list_and_wait(tx: WriteTx, provider_ids: Any) -> Any:
        rows = await real_list(tx, provider_ids)
        if not has_read.is_set():
            has_read.set()
            await others_done.wait()
        return rows

    # The statement is built once for the program, so it is built again without its lock, and afterwards with it.
    statement = availability_summaries._weeks_lock
    statement.cache_clear()
    monkeypatch.setattr(listed_providers, "list_rows", list_and_wait)
    monkeypatch.setattr(type(db.backend.ops), "lock_rows", lambda _ops, rows: rows)
    try:
        slow = asyncio.ensure_future(catalog.rebuild(after=None))
        await has_read.wait()
        await desk.offer(provider, price_minor=100)
        await catalog.follow_changes()
        others_done.set()
        await slow
    finally:
        monkeypatch.undo()
        statement.cache_clear()
    assert await _kept(db) != await _from_scratch(db, catalog)


async def test_a_booking_does_not_wait_for_those_who_change_counts(
    db: Database, catalog: Directory, desk: Desk
) -> None:
    if db.backend.ops.name == "sqlite":
        pytest.skip("NOT RUN: SQLite has one writer, for which all others wait")
    provider = await desk.approved(price_minor=5_000)
    await catalog.read_model.start()
    await catalog.follow_changes()
    async with db.write() as tx:
        await price_bands.recount(tx, scale_minor=catalog.prices.fine_minor)
        await catalog.record_completion(_completed(provider, 3))
        await catalog.follow_changes()
        await desk.offer(provider, price_minor=100)  # no write of a profile waits for a price band
        with pytest.raises(DatabaseUnavailable):  # the control: a new price moves the provider to another band
            await catalog.follow_changes()
    found = await catalog.search_providers(query=ProviderQuery())
    assert [card.book_count for card in found.data] == [3]


async def test_other_bands_of_a_pack_are_counted_at_the_next_start(
    db: Database, catalog: Directory, desk: Desk
) -> None:
    await desk.approved(price_minor=5_000)
    await catalog.follow_changes()
    async with db.write() as tx:
        await price_bands.recount(tx, scale_minor=[0, 7])
    await catalog.read_model.start()
    found = await catalog.search_providers(query=ProviderQuery(include_price_distribution=True))
    assert [band.min_price for band in found.price_distribution if band.count] == [50]
    assert await _kept(db) == await _from_scratch(db, catalog)

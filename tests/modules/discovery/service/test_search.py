"""Search follows every change of a provider."""

import asyncio
import random
from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from fairground.contracts.booking import AvailabilitySummarySet, BookingCompleted
from fairground.contracts.discovery import Near, ProviderQuery, SearchQuery, SearchResult
from fairground.contracts.imports import ImportedProvider
from fairground.contracts.providers import (
    ProfileChanges,
    ProfileInvalid,
    ProvidersChanged,
    ProviderSnapshot,
    VerticalUnknown,
)
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from fairground.modules.discovery.domain.search.documents import Document
from fairground.modules.discovery.service import read_model
from fairground.modules.discovery.tables import MAYBE_ANY_DAY, ListedProviderRow, SearchDocumentRow, SearchSpellingRow
from fairground.modules.providers.tables import ProviderRow, ServiceRow
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.providers import CLOCK_BEGINS_AT, Desk, SteppingClock, owner_of
from tests.support.statements import statements_of


async def search(catalog: Directory, q: str, **more: object) -> SearchResult:
    return await catalog.search(query=SearchQuery(q=q, **more))  # type: ignore[arg-type]


async def slugs(catalog: Directory, q: str, **more: object) -> list[str]:
    return [card.slug for card in (await search(catalog, q, **more)).data]


def a_row(number: int, **changes: object) -> ImportedProvider:
    usual: dict[str, object] = {
        "external_id": str(number),
        "business_name": f"Kitchen {number}",
        "location": "Oslo",
        "timezone": "Europe/Oslo",
        "categories": ["thai"],
        "price_minor": 10_000 + number,
    }
    return ImportedProvider(**(usual | changes))  # type: ignore[arg-type]


async def test_only_the_approved_are_found(catalog: Directory, desk: Desk) -> None:
    waiting = await desk.submitted()
    assert await slugs(catalog, "trio") == []
    await catalog.approve_provider(staff_id=desk.staff_id, provider_id=waiting.id)
    assert await slugs(catalog, "trio") == ["bla-time-trio"]


async def test_a_change_of_profile_and_services_is_found_at_once(catalog: Directory, desk: Desk) -> None:
    provider = await desk.approved(business_name="Before", bio="Waltzes", location="Bergen")
    owner_id = owner_of(provider)
    service_id = await desk.offer(provider, name="Serenade")
    assert [await slugs(catalog, q) for q in ("before", "waltzes", "bergen", "serenade", "jazz")] == [["before"]] * 5
    changes = ProfileChanges(business_name="After", bio="Polkas", location="Tromsø", categories=["dj"])
    await catalog.change_provider(owner_id=owner_id, provider_id=provider.id, changes=changes)
    await catalog.withdraw_service(owner_id=owner_id, service_id=service_id)
    assert [await slugs(catalog, q) for q in ("before", "waltzes", "bergen", "serenade", "jazz")] == [[]] * 5
    assert [await slugs(catalog, q) for q in ("after", "polkas", "tromso", "deejay")] == [["before"]] * 4


async def test_pages_by_cursor_are_those_by_number(catalog: Directory, desk: Desk) -> None:
    for number in range(7):
        await desk.approved(business_name=f"Trio {number}", bio="polka" * (number % 2))
    by_number, by_cursor, cursor = [], [], None
    for page in range(1, 5):
        by_number += await slugs(catalog, "trio", page=page, limit=2)
        found = await search(catalog, "trio", cursor=cursor, limit=2)
        by_cursor += [card.slug for card in found.data]
        cursor = found.next_cursor
    assert (len(set(by_cursor)), by_cursor, cursor) == (7, by_number, None)


async def test_cursor_continues_behind_its_page_when_providers_come_and_go(catalog: Directory, desk: Desk) -> None:
    named = {(trio := await desk.approved(business_name=f"Trio {number}")).id: trio for number in range(4)}
    found = await slugs(catalog, "trio")
    first = await search(catalog, "trio", limit=2)
    await desk.approved(business_name="Trio")  # which is the best match
    assert await slugs(catalog, "trio", page=2, limit=2) != found[2:]
    assert await slugs(catalog, "trio", cursor=first.next_cursor, limit=2) == found[2:]
    gone, changes = named[first.data[-1].id], ProfileChanges(business_name="Duo")
    await catalog.change_provider(owner_id=owner_of(gone), provider_id=gone.id, changes=changes)
    assert await slugs(catalog, "trio", cursor=first.next_cursor, limit=2) == found[2:]


async def test_a_refused_change_changes_nothing(catalog: Directory, desk: Desk) -> None:
    provider = await desk.approved(business_name="Before")
    changes = ProfileChanges(business_name="After", lat=None)
    with pytest.raises(ProfileInvalid):
        await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    assert (await slugs(catalog, "before"), await slugs(catalog, "after")) == (["before"], [])


async def test_imported_rows_are_found_as_they_are_now(catalog: Directory) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(1), a_row(2)])
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(1, business_name="Cantina")])
    assert (await slugs(catalog, "kitchen"), await slugs(catalog, "cantina")) == (["kitchen-2"], ["kitchen-1"])


async def test_the_more_booked_and_better_rated_come_first(catalog: Directory) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(number) for number in range(4)])
    ids = {card.slug: card.id for card in (await search(catalog, "kitchen")).data}
    for slug in ("kitchen-2", "kitchen-3"):
        completed = BookingCompleted(
            booking_id=uuid7(), customer_id=uuid7(), provider_id=ids[slug], provider_completed_count=2
        )
        await catalog.record_completion(completed)
    await catalog.record_rating(ProviderRated(provider_id=ids["kitchen-3"], rating_sum=5, rating_count=1))
    await catalog.record_rating(ProviderRated(provider_id=ids["kitchen-1"], rating_sum=5, rating_count=1))
    assert await slugs(catalog, "kitchen") == ["kitchen-3", "kitchen-2", "kitchen-1", "kitchen-0"]


async def test_filters_facets_and_pages(catalog: Directory) -> None:
    rows = [
        a_row(number, categories=["thai" if number % 2 else "korean"], price_minor=5_000 * number + 1)
        for number in range(30)
    ]
    await catalog.import_providers(vertical="chefs", source="oslo", providers=rows)
    found = await search(catalog, "kitchen", limit=4, page=8)
    assert (len(found.data), found.total, found.total_is_lower_bound) == (2, 30, False)
    assert [(each.value, each.count) for each in found.facets.categories] == [("korean", 15), ("thai", 15)]
    assert [(each.value, each.count) for each in found.facets.places] == [("Oslo", 30)]
    assert [(band.min_price, band.count) for band in found.facets.prices][:4] == [(0, 1), (25, 0), (50, 1), (100, 2)]
    assert (await search(catalog, "kitchen", category="Thai food")).total == 0
    assert (await search(catalog, "kitchen", category="isan", min_price=1_000)).total == 5
    assert (await search(catalog, "kitchen", vertical="artists")).total == 0
    assert (await search(catalog, "kitchen", location="osl")).total == 30
    assert (await search(catalog, "kitchen", min_rating=1)).total == 0
    assert (await search(catalog, "kitchen", near=Near(lat=59.9, lng=10.7, radius_km=10))).total == 0
    assert (await search(catalog, "kitchen", when=CLOCK_BEGINS_AT.date())).total == 0
    with pytest.raises(VerticalUnknown):
        await search(catalog, "kitchen", vertical="plumbers")


async def test_filtered_search_finds_what_the_filtered_list_shows(catalog: Directory, db: Database) -> None:
    chance, today = random.Random(23), CLOCK_BEGINS_AT.date()
    for vertical, categories in (("chefs", ["thai", "korean"]), ("artists", ["dj", "jazz_ensemble", "band"])):
        rows = [
            a_row(
                number,
                location=chance.choice(["Oslo", "Grünerløkka, Oslo", "Øst-Oslo", "York", "東京York"]),
                categories=chance.sample(categories, k=chance.randint(1, 2)),
                price_minor=chance.choice([None, 5_000, 10_000, 20_000]),
                lat=chance.choice([59.9, 60.0, 60.2]),
                lng=10.7,
            )
            for number in range(15)
        ]
        await catalog.import_providers(vertical=vertical, source="oslo", providers=rows)
    for card in (await catalog.search_providers(query=ProviderQuery(limit=100))).data:
        week = [chance.choice([None, time(hour)]) for hour in range(16, 23)]
        days = {today + timedelta(days=number): chance.choice([None, time(12)]) for number in range(0, 9, 4)}
        summary = AvailabilitySummarySet(provider_id=card.id, version=1, timezone="Asia/Tokyo", week=week, days=days)
        await catalog.record_free_days(summary)
        stars = chance.randint(1, 5)
        await catalog.record_rating(ProviderRated(provider_id=card.id, rating_sum=stars, rating_count=1))
    await _set_open_days(db, MAYBE_ANY_DAY, vertical="chefs")
    sizes = set()
    for _ in range(30):
        filters: dict[str, Any] = {
            "vertical": chance.choice([None, "chefs"]),
            "category": chance.choice([None, None, "thai", "jazz ensemble"]),
            "location": chance.choice([None, None, "osl", "york", "東"]),
            "min_price": chance.choice([None, None, 0, 100]),
            "max_price": chance.choice([None, None, 100]),
            "min_rating": chance.choice([None, None, 3]),
            "near": chance.choice([None, None, Near(lat=59.9, lng=10.7, radius_km=20)]),
            "when": chance.choice([None, *(today + timedelta(days=number) for number in (0, 1, 2, 4, 9, 400))]),
        }
        listed = await catalog.search_providers(query=ProviderQuery(**filters, limit=100))
        found = await search(catalog, "kitchen", **filters, limit=100)
        assert {card.id for card in found.data} == {card.id for card in listed.data}, filters
        sizes.add(len(listed.data))
    assert len(sizes) > 4


async def _set_open_days(db: Database, open_days: int, *, vertical: str) -> None:
    async with db.write() as tx:
        mine = SearchDocumentRow.vertical == vertical
        await tx.execute(update(SearchDocumentRow).where(mine).values(open_days=open_days))


async def test_closed_weekday_skips_the_week_lookup(catalog: Directory, db: Database) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(1)])
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    week: dict[str, Any] = {"version": 1, "timezone": "Asia/Tokyo", "week": [time(20)] * 7, "days": {}}
    await catalog.record_free_days(AvailabilitySummarySet(provider_id=card.id, **week))
    in_a_week = SteppingClock().now().date() + timedelta(days=7)
    for open_days, total in ((MAYBE_ANY_DAY, 1), (1 << in_a_week.weekday(), 1), (127 - (1 << in_a_week.weekday()), 0)):
        await _set_open_days(db, open_days, vertical="chefs")
        assert (await search(catalog, "kitchen", when=in_a_week)).total == total


async def test_unknown_word_is_corrected_and_the_correction_is_returned(catalog: Directory) -> None:
    rows = [a_row(1, business_name="Müller Küche", location="Grünerløkka, Oslo"), a_row(2, business_name="Mulder")]
    await catalog.import_providers(vertical="chefs", source="oslo", providers=rows)
    found = await search(catalog, "grunerloka muler")
    assert [card.business_name for card in found.data] == ["Müller Küche"]
    assert [(each.typed, each.meant) for each in found.corrections] == [
        ("grunerloka", "Grünerløkka"),
        ("muler", "Müller"),
    ]
    # A word that some provider has is no mistake, and finds no other spelling.
    exact = await search(catalog, "mulder")
    assert ([card.business_name for card in exact.data], exact.corrections) == (["Mulder"], [])


@pytest.mark.parametrize("q", ["", "  ", "!?", "\x00", "qqqq"])
async def test_search_without_words_finds_nothing(catalog: Directory, q: str) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(1)])
    found = await search(catalog, q)
    assert (found.data, found.total, found.facets.categories, found.corrections) == ([], 0, [], [])


async def test_a_search_takes_few_statements(catalog: Directory, db: Database) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=[a_row(number) for number in range(20)])
    await catalog.follow_changes()
    with statements_of(db) as statements:
        await search(catalog, "kitchen oslo", category="thai", min_price=50)
    asking = [sql for sql, _ in statements if "set_config" not in sql]
    assert len(asking) == 2
    await catalog.follow_changes()
    with statements_of(db) as statements:
        await search(catalog, "kichen oslo")
    asking = [sql for sql, _ in statements if "set_config" not in sql]
    assert len(asking) == 4


async def test_the_zones_of_the_world_are_not_written_into_a_statement(catalog: Directory, db: Database) -> None:
    tomorrow = CLOCK_BEGINS_AT.date() + timedelta(days=1)
    await catalog.follow_changes()
    with statements_of(db) as statements:
        await search(catalog, "kitchen", when=tomorrow)
        await catalog.search_providers(query=ProviderQuery(when=tomorrow))
    assert [sql for sql, _ in statements if "discovery_week" in sql]
    assert all("Europe/" not in sql for sql, _ in statements)


async def documents(db: Database) -> tuple[list[object], list[object]]:
    columns = [column for column in SearchDocumentRow.__table__.c if column.name != "number"]
    async with db.read() as tx:
        rows = await tx.all(select(*columns).order_by(SearchDocumentRow.provider_id))
        words = await tx.all(select(SearchSpellingRow.spelling, SearchSpellingRow.word).order_by("word", "spelling"))
    return list(rows), list(words)


async def index_all(catalog: Directory, *, steps: int = 99) -> int:
    done, after = 0, None
    while steps and (step := await catalog.rebuild(after=after)):
        done, after, steps = done + step.count, step.last_id, steps - 1
    return done


async def test_rebuilt_index_equals_the_one_that_followed_changes(catalog: Directory, db: Database, desk: Desk) -> None:
    for batch in range(3):
        rows = [a_row(number, business_name=f"Kitchen {number}") for number in range(batch * 200, batch * 200 + 200)]
        await catalog.import_providers(vertical="chefs", source="oslo", providers=rows)
    await desk.approved(business_name="Ægir", price_minor=10_000)
    await desk.draft()
    await catalog.follow_changes()
    kept = await documents(db)
    assert await index_all(catalog) == 602
    assert await documents(db) == kept
    async with db.write() as tx:
        await tx.execute(update(SearchDocumentRow).values(words="tgone", name="gone"))
        await tx.execute(delete(SearchDocumentRow).where(SearchDocumentRow.number % 2 == 0))
        await tx.execute(delete(SearchSpellingRow))
    # One step, as when it was killed after it; then all of it.
    assert await index_all(catalog, steps=1) == 500
    assert await documents(db) != kept
    await index_all(catalog)
    assert await documents(db) == kept
    assert await slugs(catalog, "ægir") == ["aegir"]


async def test_rebuild_drops_providers_that_are_not_approved(catalog: Directory, db: Database, desk: Desk) -> None:
    provider = await desk.approved(price_minor=10_000)
    async with db.write() as tx:
        await tx.execute(update(ProviderRow).where(ProviderRow.id == provider.id).values(status="rejected"))
        await tx.execute(delete(ServiceRow))
    await index_all(catalog)
    assert await slugs(catalog, "trio") == []


async def _change_while_rebuilding(catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rename a provider between the snapshot of a rebuild and its write, and let the read model follow at once."""
    provider = await desk.approved(business_name="Before")
    await catalog.follow_changes()
    has_read, may_write = asyncio.Event(), asyncio.Event()
    real_describe = read_model._describe

    async def describe_late(snapshots: Sequence[ProviderSnapshot]) -> dict[UUID, Document]:
        if not has_read.is_set():
            has_read.set()
            await may_write.wait()
        return await real_describe(snapshots)

    monkeypatch.setattr(read_model, "_describe", describe_late)
    rebuilding = asyncio.ensure_future(index_all(catalog))
    await has_read.wait()
    changes = ProfileChanges(business_name="After")
    await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    await catalog.follow_changes()
    may_write.set()
    await rebuilding


async def test_a_change_during_a_rebuild_is_found(
    catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _change_while_rebuilding(catalog, desk, monkeypatch)
    assert (await slugs(catalog, "before"), await slugs(catalog, "after")) == ([], ["before"])


async def test_the_control_without_versions_an_older_snapshot_overwrites_a_newer_one(
    catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_model, "_is_newer", lambda *_versions, **_rule: True)
    await _change_while_rebuilding(catalog, desk, monkeypatch)
    assert (await slugs(catalog, "before"), await slugs(catalog, "after")) == (["before"], [])


async def test_an_event_of_an_older_version_changes_nothing(catalog: Directory, desk: Desk, db: Database) -> None:
    provider = await desk.approved()
    await catalog.follow_changes()
    async with db.write() as tx:
        await tx.execute(update(ListedProviderRow).values(version=99, business_name="Newer"))
    await catalog.read_model.on_providers_changed(ProvidersChanged(versions={provider.id: 1}))
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    assert card.business_name == "Newer"

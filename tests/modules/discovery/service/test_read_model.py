import asyncio
from collections.abc import Collection
from datetime import time, timedelta

import pytest

from fairground.contracts.booking import AvailabilitySummarySet
from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.imports import ImportedProvider
from fairground.contracts.providers import ProfileChanges
from fairground.kernel.ids import uuid7
from fairground.modules.discovery.service import read_model
from fairground.modules.discovery.store import listed_providers
from fairground.platform.db.database import WriteTx
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import CLOCK_BEGINS_AT, Desk, owner_of


def a_row(number: int, *, location: str = "Oslo") -> ImportedProvider:
    return ImportedProvider(
        external_id=str(number),
        business_name=f"Kitchen {number}",
        location=location,
        timezone="Europe/Oslo",
        categories=["thai"],
        price_minor=10_000 + number,
    )


async def import_rows(catalog: Directory, *rows: ImportedProvider) -> None:
    await catalog.import_providers(vertical="chefs", source="oslo", providers=list(rows))


async def test_two_writers_that_meet_wait_in_one_direction(
    catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that counted prices before it learned locations would hold a lock that another one waits for."""
    await import_rows(catalog, a_row(1))
    provider = await desk.approved(price_minor=10_000)
    await catalog.follow_changes()
    others: list[asyncio.Task[None]] = []
    learn_locations = listed_providers.learn_locations

    async def learn_and_wait(tx: WriteTx, folded_locations: Collection[str]) -> None:
        await learn_locations(tx, folded_locations)
        if not others:
            await import_rows_elsewhere()

    async def import_rows_elsewhere() -> None:
        async def import_and_follow() -> None:
            await import_rows(catalog, a_row(1, location="Neverland"), a_row(2))
            await catalog.follow_changes()

        others.append(asyncio.ensure_future(import_and_follow()))
        await asyncio.wait(others, timeout=1)

    monkeypatch.setattr(listed_providers, "learn_locations", learn_and_wait)
    changes = ProfileChanges(location="Neverland", categories=["dj"])
    await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    await catalog.follow_changes()
    await others[0]
    assert (await catalog.search_providers(query=ProviderQuery(location="never"))).total == 2


async def test_a_summary_that_comes_before_the_approval_counts_from_the_approval_on(
    catalog: Directory, desk: Desk
) -> None:
    provider = await desk.submitted()
    day = CLOCK_BEGINS_AT.date() + timedelta(days=7)
    week = AvailabilitySummarySet(provider_id=provider.id, version=1, timezone="UTC", week=[time(23, 59)] * 7, days={})
    await catalog.record_free_days(week)
    await catalog.approve_provider(staff_id=desk.staff_id, provider_id=provider.id)
    found = await catalog.search_providers(query=ProviderQuery(when=day))
    assert [card.id for card in found.data] == [provider.id]


async def test_a_summary_of_an_unknown_provider_lists_none(catalog: Directory) -> None:
    await catalog.record_free_days(
        AvailabilitySummarySet(provider_id=uuid7(), version=1, timezone="UTC", week=[time(20)] * 7, days={})
    )
    assert (await catalog.search_providers(query=ProviderQuery())).total == 0


async def test_an_empty_read_model_is_rebuilt_after_the_start(
    catalog: Directory, desk: Desk, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved()
    await catalog.read_model.start()
    while outbox.jobs:
        job = outbox.jobs.pop()
        assert isinstance(job, read_model.RebuildReadModel)
        await catalog.read_model.on_rebuild(job)
    assert [card.id for card in (await catalog.discovery.search_providers(query=ProviderQuery())).data] == [provider.id]
    await catalog.read_model.start()
    assert outbox.jobs == []


async def test_lists_are_invalidated_in_the_transaction_of_their_rows(
    catalog: Directory, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched: list[tuple[str, ...]] = []
    monkeypatch.setattr(WriteTx, "invalidate", lambda _tx, *tags: touched.append(tags))
    provider = await desk.approved(price_minor=9_000)
    of_profile = {tag for tags in touched for tag in tags}
    assert of_profile == {f"provider:{provider.id}", f"provider:{provider.slug}"}
    touched.clear()
    await catalog.follow_changes()
    assert set(touched) == {("providers", "providers:artists")}
    touched.clear()
    await catalog.rebuild(after=None)
    assert touched

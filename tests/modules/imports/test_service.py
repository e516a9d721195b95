import asyncio
from typing import Any

import pytest

from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.imports import ImportedPicture, ImportedProvider, ImportOutcome, PicturePlace
from fairground.contracts.providers import (
    CategoryUnknown,
    ProfileInvalid,
    ProvidersChanged,
    ProvidersImported,
    ServiceInvalid,
    VerticalUnknown,
)
from fairground.modules.imports import store
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk


def a_row(number: int, **changes: Any) -> ImportedProvider:
    usual: dict[str, Any] = {
        "external_id": str(number),
        "business_name": f"Kitchen {number}",
        "location": "Grünerløkka, Oslo",
        "timezone": "Europe/Oslo",
        "categories": ["Sushi", "korean"],
        "price_minor": 10_000 + number,
    }
    return ImportedProvider(**(usual | changes))


async def import_rows(catalog: Directory, *rows: ImportedProvider, source: str = "oslo") -> ImportOutcome:
    return await catalog.import_providers(vertical="chefs", source=source, providers=list(rows))


async def test_an_imported_provider_is_listed_unclaimed_and_cannot_be_booked(catalog: Directory) -> None:
    assert await import_rows(catalog, a_row(1)) == ImportOutcome(created=1, updated=0, unchanged=0, pictures=0)
    found = await catalog.search_providers(query=ProviderQuery(vertical="chefs", q="kitch", location="grunerlokka"))
    [card] = found.data
    assert (card.slug, card.service_categories) == ("kitchen-1", ["japanese", "korean"])
    assert (card.price_from_minor, card.currency) == (10_001, "EUR")
    detail = await catalog.get_provider(id_or_slug=card.slug)
    [service] = detail.services
    assert not detail.is_claimed
    assert (service.name, service.category, service.duration_minutes) == ("Japanese", "japanese", 90)
    assert not (await catalog.get_offer(service_id=service.id)).is_bookable
    view = await catalog.get_provider_for_review(provider_id=card.id)
    assert (view.owner_id, view.contact_email) == (None, None)


async def test_the_same_rows_again_change_nothing(catalog: Directory, outbox: RecordingOutbox) -> None:
    rows = [a_row(number) for number in range(500)]
    assert await import_rows(catalog, *rows) == ImportOutcome(created=500, updated=0, unchanged=0, pictures=0)
    assert await import_rows(catalog, *rows) == ImportOutcome(created=0, updated=0, unchanged=500, pictures=0)
    [changed, event] = outbox.events
    assert isinstance(changed, ProvidersChanged)
    assert isinstance(event, ProvidersImported)
    assert changed.versions == dict.fromkeys(event.provider_ids, 1)
    assert (event.vertical, event.source, len(set(event.provider_ids))) == ("chefs", "oslo", 500)


async def test_a_changed_row_changes_its_provider_whole(catalog: Directory) -> None:
    await import_rows(catalog, a_row(1), a_row(2))
    changed = a_row(1, business_name="New name", location="Bergen", categories=["thai"], price_minor=None)
    assert await import_rows(catalog, changed, a_row(2)) == ImportOutcome(created=0, updated=1, unchanged=1, pictures=0)
    detail = await catalog.get_provider(id_or_slug="kitchen-1")
    assert (detail.business_name, detail.location, detail.service_categories) == ("New name", "Bergen", ["thai"])
    assert (detail.services, detail.price_from_minor, detail.currency) == ([], None, None)
    totals = {q: (await catalog.search_providers(query=ProviderQuery(q=q))).total for q in ("new", "kitchen")}
    assert totals == {"new": 1, "kitchen": 1}


async def test_sources_do_not_know_each_others_ids(catalog: Directory) -> None:
    await import_rows(catalog, a_row(1))
    assert (await import_rows(catalog, a_row(1), source="bergen")).created == 1
    found = await catalog.search_providers(query=ProviderQuery())
    assert sorted(card.slug for card in found.data) == ["kitchen-1", "kitchen-1-2"]


async def test_hundreds_of_namesakes_get_different_addresses(catalog: Directory, desk: Desk) -> None:
    await desk.draft(business_name="Cozy room 3")
    for batch in (range(120), range(120, 240)):
        rows = [a_row(number, business_name="Cozy  Room!" if number % 2 else "東京") for number in batch]
        assert (await import_rows(catalog, *rows)).created == 120
    cards = [
        card
        for page in (1, 2, 3)
        for card in (await catalog.search_providers(query=ProviderQuery(page=page, limit=100))).data
    ]
    slugs = {card.slug for card in cards}
    assert len(slugs) == 240
    assert {"cozy-room", "cozy-room-2", "cozy-room-4", "cozy-room-121"} <= slugs


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"categories": ["blacksmith"]}, CategoryUnknown),
        ({"timezone": "Oslo"}, ProfileInvalid),
        ({"lat": 1.0}, ProfileInvalid),
        ({"price_minor": -1}, ServiceInvalid),
        ({"external_id": "1"}, ProfileInvalid),
        ({"external_id": ""}, ProfileInvalid),
        ({"external_id": "x" * 201}, ProfileInvalid),
        ({"service_name": "\x00"}, ServiceInvalid),
    ],
)
async def test_a_step_with_a_bad_row_keeps_nothing_and_names_the_row(
    catalog: Directory, changes: dict[str, Any], refusal: type[Exception]
) -> None:
    bad = a_row(7, **changes)
    with pytest.raises(refusal, match=f"^{bad.external_id}: "):
        await import_rows(catalog, a_row(1), bad)
    assert (await catalog.search_providers(query=ProviderQuery())).total == 0


async def test_a_step_is_bounded_and_its_vertical_known(catalog: Directory) -> None:
    with pytest.raises(ProfileInvalid, match="at most 500"):
        await import_rows(catalog, *(a_row(number) for number in range(501)))
    with pytest.raises(VerticalUnknown):
        await catalog.import_providers(vertical="plumbers", source="oslo", providers=[a_row(1)])


async def test_the_same_rows_imported_by_several_processes_at_once_are_there_once(db: Database) -> None:
    rows, catalogs = [a_row(number) for number in range(50)], [Directory(db=db) for _ in range(4)]
    outcomes = await asyncio.gather(*(import_rows(catalog, *rows) for catalog in catalogs))
    assert sum(outcome.created for outcome in outcomes) == 50
    assert sum(outcome.unchanged for outcome in outcomes) == 150
    assert (await catalogs[0].search_providers(query=ProviderQuery())).total == 50


async def test_pictures_of_unchanged_rows_are_stored_if_an_earlier_step_died_before_them(
    catalog: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = a_row(1, pictures=[ImportedPicture(place=PicturePlace.PORTRAIT, content=b"any", alt="")])

    async def die(*_parts: object, **_more: object) -> int:
        raise ConnectionError("killed")

    with monkeypatch.context() as dying:
        dying.setattr(store, "stage_pictures", die)
        with pytest.raises(ConnectionError):
            await import_rows(catalog, row)
    assert await import_rows(catalog, row) == ImportOutcome(created=0, updated=0, unchanged=1, pictures=1)
    assert await import_rows(catalog, row) == ImportOutcome(created=0, updated=0, unchanged=1, pictures=0)

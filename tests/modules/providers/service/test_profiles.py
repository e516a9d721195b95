import asyncio

import pytest
from sqlalchemy import text

from fairground.contracts.discovery import Place, ProviderQuery
from fairground.contracts.providers import (
    BookingMode,
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProfileInvalid,
    ProviderNotFound,
    ProviderTimezoneSet,
    ServiceInvalid,
    ServiceNotFound,
)
from fairground.kernel.ids import uuid7
from fairground.modules.providers.service import offers
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, a_profile, a_service, owner_of

RUSH = 8


async def test_namesakes_get_numbered_slugs(desk: Desk) -> None:
    slugs = [(await desk.draft(business_name=name)).slug for name in ("DJ Kim", "dj kim", "Dj Kïm", "DJ Kim 2")]
    assert slugs == ["dj-kim", "dj-kim-2", "dj-kim-3", "dj-kim-2-2"]


async def test_slug_of_a_name_without_ascii_letters_is_the_id(desk: Desk) -> None:
    provider = await desk.draft(business_name="東京")
    assert provider.slug == str(provider.id)


@pytest.mark.parametrize("name", ["deadbeef" * 4, "deadbeef dead beef dead beefdeadbeef"])
async def test_provider_whose_name_reads_as_an_id_is_found_by_its_slug(
    desk: Desk, catalog: Directory, name: str
) -> None:
    provider = await desk.approved(business_name=name)
    assert (await catalog.get_provider(id_or_slug=provider.slug)).id == provider.id


async def test_namesake_whose_number_would_complete_an_id_gets_the_next_number(desk: Desk) -> None:
    slugs = [(await desk.draft(business_name="a" * 31)).slug for _ in range(2)]
    # "aaa…-2" has 32 hexadecimal digits, and the hyphens of an id do not count.
    assert slugs == ["a" * 31, f"{'a' * 31}-10"]


async def test_rename_keeps_the_slug_and_changes_the_search(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved(business_name="First name")
    changes = ProfileChanges(business_name="Second name", location="Bergen")
    changed = await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    assert changed.slug == "first-name"
    for q, location, total in (("second", None, 1), ("first", None, 0), (None, "berg", 1), (None, "oslo", 0)):
        assert await _total(catalog, q=q, location=location) == total


async def test_new_zone_is_announced_with_a_higher_version(
    desk: Desk, catalog: Directory, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved(timezone="Europe/Oslo")
    for timezone in ("Europe/Oslo", "Asia/Tokyo", "Asia/Tokyo", "Europe/Oslo"):
        changes = ProfileChanges(timezone=timezone)
        await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    announced = [event for event in outbox.events if isinstance(event, ProviderTimezoneSet)]
    assert [(event.timezone, event.version) for event in announced] == [("Asia/Tokyo", 2), ("Europe/Oslo", 3)]
    assert {(event.provider_id, event.slug) for event in announced} == {(provider.id, provider.slug)}
    ref = await catalog.get_provider_ref(provider_id=provider.id)
    assert (ref.timezone, ref.timezone_version) == ("Europe/Oslo", 3)


async def _total(catalog: Directory, *, q: str | None, location: str | None) -> int:
    return (await catalog.search_providers(query=ProviderQuery(q=q, location=location))).total


async def test_an_account_has_one_profile(catalog: Directory, people: People) -> None:
    owner_id = people.add()
    await catalog.create_provider(owner_id=owner_id, profile=a_profile())
    with pytest.raises(ProfileExists):
        await catalog.create_provider(owner_id=owner_id, profile=a_profile(business_name="Another"))


async def test_concurrent_creations_of_one_account_make_one_profile(catalog: Directory, people: People) -> None:
    owner_id = people.add()
    tries = [catalog.create_provider(owner_id=owner_id, profile=a_profile()) for _ in range(RUSH)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, ProfileExists) for result in results) == RUSH - 1


@pytest.mark.usefixtures("patience")
async def test_concurrent_namesakes_get_different_slugs(catalog: Directory, people: People) -> None:
    slugs = await _create_at_once(catalog, people)
    assert sorted(slugs) == ["bla-time-trio", *(f"bla-time-trio-{number}" for number in range(2, RUSH + 1))]


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no index to decide
async def test_control_without_the_unique_index_concurrent_namesakes_share_a_slug(
    catalog: Directory, people: People, db: Database
) -> None:
    async with db.write() as tx:
        await tx.execute(text("ALTER TABLE providers_provider DROP CONSTRAINT uq_providers_provider__slug"))
    try:
        assert len(set(await _create_at_once(catalog, people))) < RUSH
    finally:
        async with db.write() as tx:
            of_providers = ("provider_private", "provider_category", "provider_word")
            for part in (*(f"providers_{name}" for name in of_providers), "discovery_name_phrase"):
                await tx.execute(text(f"DELETE FROM {part}"))
            await tx.execute(text("DELETE FROM providers_provider"))
            await tx.execute(
                text("ALTER TABLE providers_provider ADD CONSTRAINT uq_providers_provider__slug UNIQUE (slug)")
            )


async def _create_at_once(catalog: Directory, people: People) -> list[str]:
    tries = [catalog.create_provider(owner_id=people.add(), profile=a_profile()) for _ in range(RUSH)]
    return [provider.slug for provider in await asyncio.gather(*tries)]


async def test_contact_shows_to_the_owner_and_not_to_the_public(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    own = await catalog.get_own_provider(owner_id=owner_of(provider))
    assert (own.contact_email, own.contact_phone) == ("person1@example.org", "+47 22 00 00 00")
    changes = ProfileChanges(contact_phone=None)
    changed = await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    assert changed.contact_phone is None
    assert not {"contact_email", "contact_phone"} & set(
        (await catalog.get_provider(id_or_slug=provider.slug)).model_dump()
    )


async def test_a_picture_shows_on_the_public_page(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    await catalog.set_picture(provider_id=provider.id, url="/media/1.webp")
    assert (await catalog.get_provider(id_or_slug=provider.slug)).profile_picture_url == "/media/1.webp"
    with pytest.raises(ProfileInvalid):
        await catalog.set_picture(provider_id=provider.id, url="data:image/png;base64,AAAA")
    with pytest.raises(ProviderNotFound):
        await catalog.set_picture(provider_id=uuid7(), url="/media/1.webp")


async def test_refused_profile_is_not_stored(catalog: Directory, people: People) -> None:
    owner_id = people.add()
    profile: ProfileIn = a_profile(timezone="Mars/Olympus")
    with pytest.raises(ProfileInvalid):
        await catalog.create_provider(owner_id=owner_id, profile=profile)
    assert await catalog.find_provider_owned_by(owner_id=owner_id) is None


async def test_only_approved_providers_are_listed(desk: Desk, catalog: Directory) -> None:
    await desk.draft()
    await desk.submitted(business_name="Waiting")
    approved = await desk.approved(business_name="Listed", price_minor=20_000)

    found = await catalog.search_providers(query=ProviderQuery())

    assert [card.id for card in found.data] == [approved.id]
    assert found.total == 1


async def test_a_draft_has_no_public_page(desk: Desk, catalog: Directory) -> None:
    draft = await desk.draft()
    for name in (str(draft.id), draft.slug, "unknown", "a\x00b", "x" * 500):
        with pytest.raises(ProviderNotFound):
            await catalog.get_provider(id_or_slug=name)


async def test_places_of_approved_providers_are_rounded_to_a_kilometre(desk: Desk, catalog: Directory) -> None:
    shown = await desk.approved(business_name="Shown", lat=59.91389, lng=10.75226)
    silent = await desk.approved(business_name="Silent", lat=None, lng=None)
    draft = await desk.draft(lat=1.0, lng=2.0)
    ids = [shown.id, silent.id, draft.id]
    assert await catalog.find_places(provider_ids=ids) == {shown.id: Place(lat=59.91, lng=10.75)}


async def test_card_shows_the_lowest_price_of_the_offered_services(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    assert await _card_price(catalog) == (None, None)
    dear, cheap = [await desk.offer(provider, price_minor=price) for price in (45_000, 30_000)]
    assert await _card_price(catalog) == (30_000, "EUR")
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=cheap)
    assert await _card_price(catalog) == (45_000, "EUR")
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=dear)
    assert await _card_price(catalog) == (None, None)


async def _card_price(catalog: Directory) -> tuple[int | None, str | None]:
    [card] = (await catalog.search_providers(query=ProviderQuery())).data
    return card.price_from_minor, card.currency


async def test_lowest_price_is_right_after_concurrent_withdrawals(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    offered = [await desk.offer(provider, price_minor=10_000 + number) for number in range(6)]
    tries = [
        catalog.withdraw_service(owner_id=owner_of(provider), service_id=each) for each in (*offered[:5], offered[0])
    ]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, ServiceNotFound) for result in results) == 1
    assert await _card_price(catalog) == (10_005, "EUR")


async def test_an_offer_holds_the_terms_of_a_booking(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider, booking_mode=BookingMode.INSTANT)
    offer = await catalog.get_offer(service_id=service_id)
    assert offer.is_bookable
    assert (offer.provider_id, offer.owner_id, offer.timezone) == (provider.id, provider.owner_id, "Europe/Oslo")
    assert (offer.price_minor, offer.currency, offer.duration_minutes) == (45_000, "EUR", 90)
    assert offer.booking_mode is BookingMode.INSTANT


async def test_a_withdrawn_service_keeps_its_terms_and_cannot_be_booked(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider)
    await catalog.withdraw_service(owner_id=owner_of(provider), service_id=service_id)
    offer = await catalog.get_offer(service_id=service_id)
    assert (offer.is_bookable, offer.price_minor) == (False, 45_000)


async def test_a_service_of_a_draft_cannot_be_booked(desk: Desk, catalog: Directory) -> None:
    service_id = await desk.offer(await desk.draft())
    assert not (await catalog.get_offer(service_id=service_id)).is_bookable


async def test_the_number_of_services_is_bounded(
    desk: Desk, catalog: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "SERVICES_MAX", 2)
    provider = await desk.draft()
    for _ in range(2):
        await desk.offer(provider)
    with pytest.raises(ServiceInvalid, match="at most 2"):
        await catalog.add_service(owner_id=owner_of(provider), provider_id=provider.id, service=a_service())

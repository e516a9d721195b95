import asyncio

import pytest
from sqlalchemy import text

from fairground.contracts.discovery import ProviderQuery
from fairground.contracts.providers import (
    ProfileChanges,
    ProfileExists,
    ProfileIn,
    ProfileInvalid,
    ProviderNotFound,
    ProviderTimezoneSet,
)
from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, a_profile, owner_of

RUSH = 8


async def test_namesakes_get_numbered_addresses(desk: Desk) -> None:
    slugs = [(await desk.draft(business_name=name)).slug for name in ("DJ Kim", "dj kim", "Dj Kïm", "DJ Kim 2")]
    assert slugs == ["dj-kim", "dj-kim-2", "dj-kim-3", "dj-kim-2-2"]


async def test_a_name_that_ascii_cannot_say_is_addressed_by_the_id(desk: Desk) -> None:
    provider = await desk.draft(business_name="東京")
    assert provider.slug == str(provider.id)


async def test_a_rename_keeps_the_address_and_moves_the_words(desk: Desk, catalog: Directory) -> None:
    provider = await desk.approved(business_name="First name")
    changes = ProfileChanges(business_name="Second name", location="Bergen")
    changed = await catalog.change_provider(owner_id=owner_of(provider), provider_id=provider.id, changes=changes)
    assert changed.slug == "first-name"
    for q, location, total in (("second", None, 1), ("first", None, 0), (None, "berg", 1), (None, "oslo", 0)):
        assert await _total(catalog, q=q, location=location) == total


async def test_each_new_zone_is_announced_with_a_version_that_grows(
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


async def test_one_account_in_a_hurry_gets_one_profile(catalog: Directory, people: People) -> None:
    owner_id = people.add()
    tries = [catalog.create_provider(owner_id=owner_id, profile=a_profile()) for _ in range(RUSH)]
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(result, ProfileExists) for result in results) == RUSH - 1


@pytest.mark.usefixtures("patience")
async def test_namesakes_in_a_hurry_get_different_addresses(catalog: Directory, people: People) -> None:
    slugs = await _create_at_once(catalog, people)
    assert sorted(slugs) == ["bla-time-trio", *(f"bla-time-trio-{number}" for number in range(2, RUSH + 1))]


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # one writer at a time needs no index to decide
async def test_without_the_unique_index_namesakes_in_a_hurry_share_an_address(
    catalog: Directory, people: People, db: Database
) -> None:
    async with db.write() as tx:
        await tx.execute(text("ALTER TABLE providers_provider DROP CONSTRAINT uq_providers_provider__slug"))
    try:
        assert len(set(await _create_at_once(catalog, people))) < RUSH
    finally:
        async with db.write() as tx:
            for part in ("provider_private", "provider_category", "name_phrase"):
                await tx.execute(text(f"DELETE FROM catalog_{part}"))
            await tx.execute(text("DELETE FROM providers_provider"))
            await tx.execute(
                text("ALTER TABLE providers_provider ADD CONSTRAINT uq_providers_provider__slug UNIQUE (slug)")
            )


async def _create_at_once(catalog: Directory, people: People) -> list[str]:
    tries = [catalog.create_provider(owner_id=people.add(), profile=a_profile()) for _ in range(RUSH)]
    return [provider.slug for provider in await asyncio.gather(*tries)]


async def test_contact_is_for_the_owner_and_staff(desk: Desk, catalog: Directory) -> None:
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


async def test_a_refused_profile_leaves_nothing_behind(catalog: Directory, people: People) -> None:
    owner_id = people.add()
    profile: ProfileIn = a_profile(timezone="Mars/Olympus")
    with pytest.raises(ProfileInvalid):
        await catalog.create_provider(owner_id=owner_id, profile=profile)
    assert await catalog.find_provider_owned_by(owner_id=owner_id) is None

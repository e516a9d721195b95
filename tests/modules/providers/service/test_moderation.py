"""Staff find providers in any state, suspend and restore them, and hide pictures; each change is in the audit trail."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fairground.contracts.accounts import Role
from fairground.contracts.media import PictureState
from fairground.contracts.providers import (
    OwnProvider,
    ProfileChanges,
    ProfileInvalid,
    ProviderNotFound,
    ProvidersChanged,
    ProviderStatus,
    StaffOnly,
    StatusConflict,
)
from fairground.contracts.providers.staff import (
    PictureVisibilityConflict,
    ProviderPictureNotFound,
    ProviderRestored,
    ProviderSuspended,
    SuspensionConflict,
)
from fairground.kernel.ids import uuid7
from fairground.platform.db.common.audit import AuditEntry, AuditSubject, list_actions
from fairground.platform.db.database import Database
from tests.doubles.media import FakePictures
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, owner_of

Follow = Callable[[], Awaitable[None]]


async def trail(db: Database, provider: OwnProvider) -> list[AuditEntry]:
    async with db.read() as tx:
        return (await list_actions(tx, subject=AuditSubject("provider", provider.id), limit=50)).data


async def names(catalog: Directory, desk: Desk, **filters: Any) -> list[str]:
    page = await catalog.moderation.search_providers(staff_id=desk.staff_id, limit=20, **filters)
    return [each.business_name for each in page.data]


async def test_suspended_provider_is_hidden_and_not_bookable_until_it_is_restored(
    desk: Desk, catalog: Directory, db: Database, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved()
    service_id, staff_id = await desk.offer(provider), desk.staff_id
    outbox.events.clear()
    shown = await catalog.moderation.suspend_provider(staff_id=staff_id, provider_id=provider.id, reason=" Spam. ")
    assert (shown.is_suspended, shown.provider.status) == (True, ProviderStatus.SUSPENDED)
    assert shown.provider.suspension_reason == "Spam."
    with pytest.raises(ProviderNotFound):
        await catalog.get_provider(id_or_slug=provider.slug)
    assert not (await catalog.get_offer(service_id=service_id)).is_bookable
    [snapshot] = await catalog.queries.list_snapshots(provider_ids=[provider.id])
    assert snapshot.status is ProviderStatus.SUSPENDED
    with pytest.raises(SuspensionConflict):
        await catalog.moderation.suspend_provider(staff_id=staff_id, provider_id=provider.id, reason="Again.")

    shown = await catalog.moderation.restore_provider(staff_id=staff_id, provider_id=provider.id)
    assert (shown.is_suspended, shown.provider.status) == (False, ProviderStatus.APPROVED)
    assert shown.provider.suspension_reason is None
    assert (await catalog.get_offer(service_id=service_id)).is_bookable
    await catalog.get_provider(id_or_slug=provider.slug)
    with pytest.raises(SuspensionConflict):
        await catalog.moderation.restore_provider(staff_id=staff_id, provider_id=provider.id)

    name = provider.business_name
    of_provider: dict[str, Any] = {"provider_id": provider.id, "owner_id": owner_of(provider), "business_name": name}
    suspended, first, restored, second = outbox.events
    assert suspended == ProviderSuspended(**of_provider, reason="Spam.", version=1)
    assert restored == ProviderRestored(**of_provider, version=2)
    assert isinstance(first, ProvidersChanged)
    assert isinstance(second, ProvidersChanged)
    assert first.versions[provider.id] < second.versions[provider.id]
    restore, suspend, approve = await trail(db, provider)
    assert (approve.action, approve.changes) == ("providers.approve", {"status": ["submitted", "approved"]})
    assert (suspend.action, suspend.actor_id, suspend.reason) == ("providers.suspend", staff_id, "Spam.")
    assert (suspend.changes, restore.changes) == ({"is_suspended": [False, True]}, {"is_suspended": [True, False]})


async def test_suspended_draft_can_be_changed_but_not_submitted(desk: Desk, catalog: Directory) -> None:
    draft = await desk.draft()
    owner_id = owner_of(draft)
    await catalog.moderation.suspend_provider(staff_id=desk.staff_id, provider_id=draft.id, reason="Spam.")
    await catalog.change_provider(owner_id=owner_id, provider_id=draft.id, changes=ProfileChanges(bio="Better."))
    with pytest.raises(StatusConflict):
        await catalog.submit_provider(owner_id=owner_id, provider_id=draft.id)
    await catalog.moderation.restore_provider(staff_id=desk.staff_id, provider_id=draft.id)
    await catalog.submit_provider(owner_id=owner_id, provider_id=draft.id)


@pytest.mark.parametrize("reason", ["", " ", "x" * 1_001])
async def test_suspension_needs_a_reason(desk: Desk, catalog: Directory, reason: str) -> None:
    provider = await desk.draft()
    with pytest.raises(ProfileInvalid):
        await catalog.moderation.suspend_provider(staff_id=desk.staff_id, provider_id=provider.id, reason=reason)


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER])
async def test_others_may_do_nothing(desk: Desk, catalog: Directory, people: People, role: Role) -> None:
    provider, moderation, user_id = await desk.approved(), catalog.moderation, people.add(role)
    of_provider = {"staff_id": user_id, "provider_id": provider.id}
    attempts = (
        moderation.search_providers(staff_id=user_id, limit=1),
        moderation.get_provider_for_staff(**of_provider),
        moderation.list_decided(staff_id=user_id, status=ProviderStatus.APPROVED, limit=1),
        moderation.suspend_provider(**of_provider, reason="No."),
        moderation.restore_provider(**of_provider),
        moderation.hide_picture(**of_provider, picture_id=uuid7(), reason="No."),
        moderation.show_picture(**of_provider, picture_id=uuid7()),
    )
    for attempt in attempts:
        with pytest.raises(StaffOnly):
            await attempt


async def test_search_finds_providers_of_any_state_by_words_status_and_vertical(desk: Desk, catalog: Directory) -> None:
    await desk.draft(business_name="Løkka Sound")
    await desk.approved(business_name="Sound of Oslo")
    await desk.submitted(business_name="Taste of Oslo", vertical="chefs", categories=["italian"])
    hidden = await desk.approved(business_name="Oslo Loud")
    await catalog.moderation.suspend_provider(staff_id=desk.staff_id, provider_id=hidden.id, reason="Spam.")
    assert await names(catalog, desk) == ["Oslo Loud", "Taste of Oslo", "Sound of Oslo", "Løkka Sound"]
    assert await names(catalog, desk, words="SOU") == ["Sound of Oslo", "Løkka Sound"]
    assert await names(catalog, desk, words="oslo sound") == ["Sound of Oslo"]
    assert await names(catalog, desk, words="lokka") == ["Løkka Sound"]
    assert await names(catalog, desk, words=str(hidden.id)) == ["Oslo Loud"]
    assert await names(catalog, desk, words="?!") == await names(catalog, desk, words="nothing") == []
    assert await names(catalog, desk, status=ProviderStatus.APPROVED) == ["Sound of Oslo"]
    assert await names(catalog, desk, status=ProviderStatus.SUSPENDED) == ["Oslo Loud"]
    assert await names(catalog, desk, vertical="chefs") == ["Taste of Oslo"]
    assert await names(catalog, desk, words="oslo", status=ProviderStatus.SUBMITTED, vertical="artists") == []


async def test_renamed_provider_is_found_by_its_new_name_alone(desk: Desk, catalog: Directory) -> None:
    draft = await desk.draft(business_name="Old Name")
    changes = ProfileChanges(business_name="Fresh Name")
    await catalog.change_provider(owner_id=owner_of(draft), provider_id=draft.id, changes=changes)
    assert (await names(catalog, desk, words="fresh"), await names(catalog, desk, words="old")) == (["Fresh Name"], [])


async def test_pages_of_the_search_follow_each_other(desk: Desk, catalog: Directory) -> None:
    for number in range(5):
        await desk.draft(business_name=f"Trio {number}")
    for words in ("", "trio"):
        seen, cursor = [], None
        for _ in range(3):
            page = await catalog.moderation.search_providers(
                staff_id=desk.staff_id, words=words, cursor=cursor, limit=2
            )
            seen += [each.business_name for each in page.data]
            cursor = page.next_cursor
        assert (seen, cursor) == ([f"Trio {number}" for number in (4, 3, 2, 1, 0)], None)


async def test_history_and_decisions_are_listed_latest_first(desk: Desk, catalog: Directory) -> None:
    provider = await desk.submitted()
    moderation, staff_id = catalog.moderation, desk.staff_id
    await catalog.reject_provider(staff_id=staff_id, provider_id=provider.id, reason="No picture.")
    await catalog.submit_provider(owner_id=owner_of(provider), provider_id=provider.id)
    await catalog.approve_provider(staff_id=staff_id, provider_id=provider.id)
    other = await desk.approved(business_name="Other Trio")
    history = (await moderation.get_provider_for_staff(staff_id=staff_id, provider_id=provider.id)).history
    assert [step.to_status.value for step in history] == ["approved", "submitted", "rejected", "submitted"]
    assert (history[2].reason, history[2].actor_id) == ("No picture.", staff_id)
    approved = await moderation.list_decided(staff_id=staff_id, status=ProviderStatus.APPROVED, limit=9)
    rejected = await moderation.list_decided(staff_id=staff_id, status=ProviderStatus.REJECTED, limit=9)
    assert [each.id for each in approved] == [other.id, provider.id]
    assert [(each.id, each.reason) for each in rejected] == [(provider.id, "No picture.")]


async def test_hidden_picture_leaves_the_public_gallery_and_stays_in_the_owners(
    desk: Desk, catalog: Directory, album: FakePictures, db: Database
) -> None:
    provider = await desk.approved()
    owner_id, staff_id = owner_of(provider), desk.staff_id
    first, second = (album.add(owner_id, PictureState.READY) for _ in range(2))
    for picture in (first, second):
        await catalog.galleries.add_to_gallery(owner_id=owner_id, provider_id=provider.id, picture_id=picture.id)
    of_picture = {"staff_id": staff_id, "provider_id": provider.id, "picture_id": first.id}
    shown = await catalog.moderation.hide_picture(**of_picture, reason="Not yours.")
    assert [each.hidden_reason for each in shown.gallery] == ["Not yours.", None]
    assert [each.id for each in await catalog.galleries.list_gallery(id_or_slug=provider.slug)] == [second.id]
    assert not await catalog.galleries.is_placed(picture_id=first.id)
    own = await catalog.galleries.list_own_gallery(owner_id=owner_id)
    assert [each.hidden_reason for each in own] == ["Not yours.", None]
    # Choosing it again does not show it again.
    await catalog.galleries.remove_from_gallery(owner_id=owner_id, provider_id=provider.id, picture_id=first.id)
    await catalog.galleries.add_to_gallery(owner_id=owner_id, provider_id=provider.id, picture_id=first.id)
    assert [each.id for each in await catalog.galleries.list_gallery(id_or_slug=provider.slug)] == [second.id]
    with pytest.raises(PictureVisibilityConflict):
        await catalog.moderation.hide_picture(**of_picture, reason="Again.")

    await catalog.moderation.show_picture(**of_picture)
    assert [each.id for each in await catalog.galleries.list_gallery(id_or_slug=provider.slug)] == [second.id, first.id]
    with pytest.raises(PictureVisibilityConflict):
        await catalog.moderation.show_picture(**of_picture)
    show, hide, _approve = await trail(db, provider)
    assert (hide.action, hide.reason, hide.details) == (
        "providers.hide_picture", "Not yours.", {"picture_id": str(first.id)}
    )  # fmt: skip
    assert show.changes == {"is_hidden": [True, False]}


async def test_hidden_portrait_is_shown_nowhere_until_it_is_shown_again(
    desk: Desk, catalog: Directory, album: FakePictures, follow: Follow, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved()
    owner_id, picture = owner_of(provider), album.add(owner_of(provider), PictureState.READY)
    choice = {"owner_id": owner_id, "provider_id": provider.id, "picture_id": picture.id}
    await catalog.portraits.choose_portrait(**choice)
    assert (await catalog.get_provider(id_or_slug=provider.slug)).profile_picture_url is not None
    of_picture = {"staff_id": desk.staff_id, "provider_id": provider.id, "picture_id": picture.id}
    shown = await catalog.moderation.hide_picture(**of_picture, reason="Not you.")
    assert (shown.portrait_id, shown.portrait_hidden_reason) == (picture.id, "Not you.")
    await catalog.portraits.choose_portrait(**choice)
    assert (await catalog.get_provider(id_or_slug=provider.slug)).profile_picture_url is None
    assert (await catalog.portraits.get_avatar_source(provider_id=provider.id)).picture_id is None

    outbox.jobs.clear()
    await catalog.moderation.show_picture(**of_picture)
    await follow()
    assert (await catalog.get_provider(id_or_slug=provider.slug)).profile_picture_url is not None


async def test_picture_of_another_provider_cannot_be_hidden(
    desk: Desk, catalog: Directory, album: FakePictures
) -> None:
    provider, other = await desk.approved(), await desk.approved()
    picture = album.add(owner_of(other), PictureState.READY)
    await catalog.galleries.add_to_gallery(owner_id=owner_of(other), provider_id=other.id, picture_id=picture.id)
    with pytest.raises(ProviderPictureNotFound):
        await catalog.moderation.hide_picture(
            staff_id=desk.staff_id, provider_id=provider.id, picture_id=picture.id, reason="No."
        )

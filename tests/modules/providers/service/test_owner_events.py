"""A provider is hidden while the account of its owner is suspended or closed, in whatever order the events come."""

from itertools import permutations

import pytest

from fairground.contracts.accounts import AccountClosed, AccountRestored, AccountSuspended, EmailChanged
from fairground.contracts.providers import (
    OwnProvider,
    ProviderNotFound,
    ProvidersChanged,
    ProviderStatus,
    StatusConflict,
)
from fairground.kernel.addresses import Address
from fairground.modules.providers.service.event_handlers import OwnerEventHandlers
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, owner_of

ADDRESS = Address(street="Storgata 1", city="Oslo", country="NO")


@pytest.fixture
def owners(db: Database, people: People) -> OwnerEventHandlers:
    return OwnerEventHandlers(db=db, accounts=people)  # type: ignore[arg-type]


async def is_shown(catalog: Directory, provider: OwnProvider) -> bool:
    try:
        await catalog.get_provider(id_or_slug=provider.slug)
    except ProviderNotFound:
        return False
    return True


async def test_suspended_owner_hides_the_provider_until_the_account_is_restored(
    desk: Desk, catalog: Directory, owners: OwnerEventHandlers, outbox: RecordingOutbox
) -> None:
    provider = await desk.approved()
    user_id, service_id = owner_of(provider), await desk.offer(provider)
    outbox.events.clear()
    await owners.on_suspended(AccountSuspended(user_id=user_id, version=1))
    assert not await is_shown(catalog, provider)
    assert (await catalog.get_provider_ref(provider_id=provider.id)).status is ProviderStatus.SUSPENDED
    assert not (await catalog.get_offer(service_id=service_id)).is_bookable
    [snapshot] = await catalog.queries.list_snapshots(provider_ids=[provider.id])
    assert snapshot.status is ProviderStatus.SUSPENDED
    assert [type(event) for event in outbox.events] == [ProvidersChanged]
    await owners.on_restored(AccountRestored(user_id=user_id, version=2))
    assert await is_shown(catalog, provider)
    assert (await catalog.get_offer(service_id=service_id)).is_bookable
    assert [type(event) for event in outbox.events] == [ProvidersChanged] * 2


RESTORED_BY = 2  # of the versions 1 to 3


@pytest.mark.parametrize("order", [*permutations((1, 2, 3))])
async def test_late_and_double_events_leave_the_newest_state(
    desk: Desk, catalog: Directory, owners: OwnerEventHandlers, order: tuple[int, ...]
) -> None:
    provider = await desk.approved()
    for version in (*order, order[0]):
        if version == RESTORED_BY:
            await owners.on_restored(AccountRestored(user_id=owner_of(provider), version=version))
        else:
            await owners.on_suspended(AccountSuspended(user_id=owner_of(provider), version=version))
    assert not await is_shown(catalog, provider)


async def test_draft_of_a_suspended_owner_is_announced_to_no_one_and_cannot_be_submitted(
    desk: Desk, catalog: Directory, owners: OwnerEventHandlers, outbox: RecordingOutbox
) -> None:
    draft = await desk.draft()
    outbox.events.clear()
    await owners.on_suspended(AccountSuspended(user_id=owner_of(draft), version=1))
    assert outbox.events == []
    with pytest.raises(StatusConflict):
        await catalog.submit_provider(owner_id=owner_of(draft), provider_id=draft.id)
    await owners.on_restored(AccountRestored(user_id=owner_of(draft), version=2))
    assert (await catalog.get_provider_ref(provider_id=draft.id)).status is ProviderStatus.DRAFT


async def test_closed_account_leaves_no_contact_of_its_provider(
    desk: Desk, catalog: Directory, owners: OwnerEventHandlers
) -> None:
    provider = await desk.approved(address=ADDRESS, meeting_details="+47 22 00 00 00")
    await owners.on_closed(AccountClosed(user_id=owner_of(provider), version=1))
    own = await catalog.get_provider_for_review(provider_id=provider.id)
    assert (own.contact_email, own.contact_phone) == (None, None)
    assert (own.address, own.meeting_details) == (None, None)
    assert not await is_shown(catalog, provider)


async def test_contact_follows_the_address_of_the_account(
    desk: Desk, catalog: Directory, owners: OwnerEventHandlers, people: People
) -> None:
    provider = await desk.approved()
    user_id = owner_of(provider)
    people.users[user_id] = people.users[user_id].model_copy(update={"email": "new@example.net"})
    await owners.on_email_changed(EmailChanged(user_id=user_id))
    assert (await catalog.get_provider_for_review(provider_id=provider.id)).contact_email == "new@example.net"


async def test_account_without_a_provider_changes_nothing(owners: OwnerEventHandlers, people: People) -> None:
    await owners.on_suspended(AccountSuspended(user_id=people.add(), version=1))

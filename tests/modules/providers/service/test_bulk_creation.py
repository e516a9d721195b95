"""Providers that are created in bulk are those that the single steps make, and are refused for the same reasons."""

from typing import Any

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import Role
from fairground.contracts.providers import (
    CategoryUnknown,
    CurrencyUnsupported,
    NewProvider,
    NotAProvider,
    OwnProvider,
    ProfileExists,
    ProfileIncomplete,
    ProfileInvalid,
    ProvidersChanged,
    ProviderStatus,
    StaffOnly,
)
from fairground.kernel.errors import DomainError
from fairground.modules.providers.tables import ApprovalRow
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, a_profile, a_service, owner_of

PICTURE = "/pictures/1.svg"
OWN = {"id", "owner_id", "contact_email", "slug", "services", "submitted_at"}


def a_provider(people: People, status: ProviderStatus = ProviderStatus.APPROVED, **changes: Any) -> NewProvider:
    usual: dict[str, Any] = {
        "owner_id": people.add(),
        "profile": a_profile(),
        "services": [a_service(price_minor=60_000), a_service(name="Matinée", price_minor=20_000)],
        "picture_url": PICTURE,
        "status": status,
        "rejection_reason": "No picture." if status is ProviderStatus.REJECTED else None,
    }
    return NewProvider(**(usual | changes))


async def create_by_steps(desk: Desk, new: NewProvider) -> OwnProvider:
    catalog = desk.catalog
    draft = await catalog.create_provider(owner_id=new.owner_id, profile=new.profile)
    for service in new.services:
        await catalog.add_service(owner_id=new.owner_id, provider_id=draft.id, service=service)
    await catalog.set_picture(provider_id=draft.id, url=new.picture_url)
    if new.status is not ProviderStatus.DRAFT:
        await catalog.submit_provider(owner_id=new.owner_id, provider_id=draft.id)
    if new.status is ProviderStatus.APPROVED:
        await catalog.approve_provider(staff_id=desk.staff_id, provider_id=draft.id)
    if new.status is ProviderStatus.REJECTED:
        await catalog.reject_provider(staff_id=desk.staff_id, provider_id=draft.id, reason=new.rejection_reason or "")
    return await catalog.get_provider_for_review(provider_id=draft.id)


async def approvals_of(db: Database, provider: OwnProvider) -> list[tuple[Any, ...]]:
    columns = (ApprovalRow.actor_id, ApprovalRow.from_status, ApprovalRow.to_status, ApprovalRow.reason)
    log = select(*columns).where(ApprovalRow.provider_id == provider.id).order_by(ApprovalRow.id)
    async with db.read() as tx:
        rows = await tx.all(log)
    return [("owner" if row[0] == provider.owner_id else row[0], *row[1:]) for row in rows]


@pytest.mark.parametrize("status", [each for each in ProviderStatus if each is not ProviderStatus.SUSPENDED])
async def test_provider_equals_one_that_the_single_steps_made(
    desk: Desk, people: People, catalog: Directory, db: Database, status: ProviderStatus
) -> None:
    stepwise = await create_by_steps(desk, a_provider(people, status))
    new = a_provider(people, status)
    [created] = await catalog.create_providers_in_bulk(providers=[new], staff_id=desk.staff_id)
    whole = await catalog.get_provider_for_review(provider_id=created.id)
    assert whole.model_dump(exclude=OWN) == stepwise.model_dump(exclude=OWN)
    assert owner_of(whole) == new.owner_id
    assert [service.id for service in whole.services] == created.service_ids
    assert [service.model_dump(exclude={"id", "provider_id"}) for service in whole.services] == [
        service.model_dump(exclude={"id", "provider_id"}) for service in stepwise.services
    ]
    assert (whole.submitted_at is None) == (stepwise.submitted_at is None)
    assert whole.contact_email != stepwise.contact_email
    assert await approvals_of(db, whole) == await approvals_of(db, stepwise)


async def test_namesakes_get_slugs_of_their_own_and_only_the_approved_are_announced(
    desk: Desk, people: People, catalog: Directory, outbox: RecordingOutbox
) -> None:
    before = await desk.draft()
    new = [a_provider(people), a_provider(people, ProviderStatus.DRAFT), a_provider(people)]
    first, draft, last = await catalog.create_providers_in_bulk(providers=new, staff_id=desk.staff_id)
    views = [await catalog.get_provider_for_review(provider_id=each.id) for each in (first, draft, last)]
    assert [view.slug for view in views] == [f"{before.slug}-{number}" for number in (2, 3, 4)]
    assert outbox.events == [ProvidersChanged(versions={first.id: 1, last.id: 1})]


async def test_waiting_profiles_are_listed_in_the_order_of_the_call(
    desk: Desk, people: People, catalog: Directory
) -> None:
    new = [a_provider(people, ProviderStatus.SUBMITTED) for _ in range(5)]
    created = await catalog.create_providers_in_bulk(providers=new, staff_id=desk.staff_id)
    waiting = await catalog.list_submitted(limit=10)
    assert [provider.id for provider in waiting] == [each.id for each in created]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"profile": a_profile(categories=["juggling"])}, CategoryUnknown),
        ({"profile": a_profile(lat=91)}, ProfileInvalid),
        ({"services": [a_service(currency="USD")]}, CurrencyUnsupported),
        ({"picture_url": "data:image/png;base64,AAAA"}, ProfileInvalid),
        ({"status": ProviderStatus.REJECTED, "rejection_reason": None}, ProfileInvalid),
    ],
)
async def test_one_refused_provider_refuses_all_of_them(
    desk: Desk, people: People, catalog: Directory, changes: dict[str, Any], refusal: type[DomainError]
) -> None:
    new = [a_provider(people), a_provider(people, **changes)]
    with pytest.raises(refusal):
        await catalog.create_providers_in_bulk(providers=new, staff_id=desk.staff_id)
    assert await catalog.find_provider_owned_by(owner_id=new[0].owner_id) is None


async def test_accounts_that_may_not_have_a_provider_are_refused(
    desk: Desk, people: People, catalog: Directory
) -> None:
    known, unverified = owner_of(await desk.draft()), people.add(email_verified=False)
    for owner_id, refusal in (
        (known, ProfileExists),
        (people.add(Role.CUSTOMER), NotAProvider),
        (unverified, ProfileIncomplete),
    ):
        with pytest.raises(refusal):
            await catalog.create_providers_in_bulk(
                providers=[a_provider(people, owner_id=owner_id)], staff_id=desk.staff_id
            )
    twice = a_provider(people)
    with pytest.raises(ProfileExists):
        await catalog.create_providers_in_bulk(providers=[twice, twice], staff_id=desk.staff_id)
    with pytest.raises(StaffOnly):
        await catalog.create_providers_in_bulk(providers=[twice], staff_id=twice.owner_id)

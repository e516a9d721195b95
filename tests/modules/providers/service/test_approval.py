import asyncio

import pytest
from sqlalchemy import select

from fairground.contracts.accounts import Role
from fairground.contracts.providers import (
    OwnProvider,
    ProfileIncomplete,
    ProviderApproved,
    ProviderNotFound,
    ProviderRejected,
    ProvidersChanged,
    ProviderStatus,
    ProviderSubmitted,
    StaffOnly,
    StatusConflict,
)
from fairground.kernel.ids import uuid7
from fairground.modules.providers.tables import ApprovalRow
from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People, a_profile, owner_of


async def test_each_step_of_an_approval_is_announced_and_recorded(
    desk: Desk, catalog: Directory, db: Database, outbox: RecordingOutbox
) -> None:
    provider = await desk.submitted()
    owner_id, name = owner_of(provider), provider.business_name
    await catalog.reject_provider(staff_id=desk.staff_id, provider_id=provider.id, reason=" No picture. ")
    await catalog.submit_provider(owner_id=owner_id, provider_id=provider.id)
    await catalog.approve_provider(staff_id=desk.staff_id, provider_id=provider.id)

    submitted = ProviderSubmitted(provider_id=provider.id, owner_id=owner_id, business_name=name)
    assert outbox.events == [
        submitted,
        ProviderRejected(provider_id=provider.id, owner_id=owner_id, business_name=name, reason="No picture."),
        submitted,
        ProvidersChanged(versions={provider.id: 2}),
        ProviderApproved(provider_id=provider.id, owner_id=owner_id, business_name=name, slug=provider.slug),
    ]
    columns = (ApprovalRow.actor_id, ApprovalRow.from_status, ApprovalRow.to_status, ApprovalRow.reason)
    async with db.read() as tx:
        log = [tuple(row) for row in await tx.all(select(*columns).order_by(ApprovalRow.id))]
    assert log == [
        (owner_id, "draft", "submitted", None),
        (desk.staff_id, "submitted", "rejected", "No picture."),
        (owner_id, "rejected", "submitted", None),
        (desk.staff_id, "submitted", "approved", None),
    ]


async def test_profile_of_an_unverified_account_cannot_be_submitted(catalog: Directory, people: People) -> None:
    owner_id = people.add(email_verified=False)
    draft = await catalog.create_provider(owner_id=owner_id, profile=a_profile())
    assert draft.missing == ["email_verified", "has_service", "has_hours"]
    with pytest.raises(ProfileIncomplete) as refused:
        await catalog.submit_provider(owner_id=owner_id, provider_id=draft.id)
    assert refused.value.context["missing"] == ["email_verified"]


async def test_only_staff_decide(desk: Desk, catalog: Directory, people: People) -> None:
    provider = await desk.submitted()
    for role in (Role.CUSTOMER, Role.PROVIDER):
        with pytest.raises(StaffOnly):
            await catalog.approve_provider(staff_id=people.add(role), provider_id=provider.id)
    with pytest.raises(ProviderNotFound):
        await catalog.approve_provider(staff_id=desk.staff_id, provider_id=uuid7())


async def test_one_of_several_concurrent_decisions_counts(desk: Desk, catalog: Directory) -> None:
    provider = await desk.submitted()
    results = await asyncio.gather(
        catalog.approve_provider(staff_id=desk.staff_id, provider_id=provider.id),
        catalog.reject_provider(staff_id=desk.staff_id, provider_id=provider.id, reason="No."),
        catalog.approve_provider(staff_id=desk.staff_id, provider_id=provider.id),
        return_exceptions=True,
    )
    [decided] = [result for result in results if isinstance(result, OwnProvider)]
    assert sum(isinstance(result, StatusConflict) for result in results) == 2
    assert (await catalog.get_provider_for_review(provider_id=provider.id)).status == decided.status


async def test_submitted_profiles_are_listed_by_their_wait(desk: Desk, catalog: Directory) -> None:
    late, early = await desk.draft(business_name="Late"), await desk.draft(business_name="Early")
    for provider in (early, late):
        await catalog.submit_provider(owner_id=owner_of(provider), provider_id=provider.id)
    await desk.draft(business_name="Not yet")
    waiting = await catalog.list_submitted(limit=10)
    assert [provider.business_name for provider in waiting] == ["Early", "Late"]
    assert {provider.status for provider in waiting} == {ProviderStatus.SUBMITTED}
    assert len(await catalog.list_submitted(limit=1)) == 1

"""Staff is notified of claims that wait, claimants of decisions."""

from datetime import UTC, datetime

import pytest

from fairground.contracts.accounts import Role, User
from fairground.contracts.providers.claims import (
    ClaimStatus,
    ClaimToDecide,
    ProviderClaimed,
    ProviderClaimRefused,
    ProviderClaimRequested,
)
from fairground.kernel.ids import uuid7
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body, subject

pytestmark = pytest.mark.anyio


@pytest.fixture
def claimant(rig: Rig) -> User:
    return rig.accounts.add("Ada Lovelace", role=Role.PROVIDER)


def a_claim(rig: Rig, claimant: User, *, status: ClaimStatus = ClaimStatus.WAITING) -> ClaimToDecide:
    claim = ClaimToDecide(
        id=uuid7(),
        provider_id=uuid7(),
        provider_name="Kitchen 1",
        provider_slug="kitchen-1",
        user_id=claimant.id,
        status=status,
        reason="It is mine.",
        refusal=None,
        created_at=datetime(2026, 3, 1, tzinfo=UTC),
        claimant_name=claimant.name,
        claimant_email=claimant.email,
        contact_email=None,
    )
    rig.claims.claims[claim.id] = claim
    return claim


def requested(claim: ClaimToDecide) -> ProviderClaimRequested:
    return ProviderClaimRequested(
        claim_id=claim.id, provider_id=claim.provider_id, user_id=claim.user_id, business_name=claim.provider_name
    )


async def test_claim_that_waits_notifies_all_staff(rig: Rig, claimant: User) -> None:
    staff = [rig.accounts.add(name, role=Role.ADMIN) for name in ("Edsger", "Barbara")]
    claim = a_claim(rig, claimant)
    await rig.emit(requested(claim))
    await rig.deliver(requested(claim))
    await rig.work()
    for user in staff:
        assert rig.subjects(user) == ["New claim to review: Kitchen 1"]
        assert f"{PUBLIC_URL}/admin/claims/{claim.id}" in body(rig.mail_to(user))
        # What the claimant writes is for the page alone.
        assert "It is mine." not in body(rig.mail_to(user))


async def test_claim_that_was_decided_meanwhile_notifies_no_staff(rig: Rig, claimant: User) -> None:
    staff = rig.accounts.add("Edsger", role=Role.ADMIN)
    await rig.emit(requested(a_claim(rig, claimant, status=ClaimStatus.GRANTED)))
    assert rig.subjects(staff) == []


async def test_owner_is_sent_to_the_dashboard(rig: Rig, claimant: User) -> None:
    claim = a_claim(rig, claimant)
    event = ProviderClaimed(
        provider_id=claim.provider_id, owner_id=claimant.id, business_name="Kitchen 1", slug="kitchen-1"
    )
    await rig.emit(event)
    assert subject(rig.mail_to(claimant)) == "You now own the page of Kitchen 1"
    assert f"{PUBLIC_URL}/pro" in body(rig.mail_to(claimant))


async def test_each_refusal_has_its_reason(rig: Rig, claimant: User) -> None:
    for reason in ("No proof.", "Still no proof."):
        claim = a_claim(rig, claimant)
        await rig.emit(
            ProviderClaimRefused(
                claim_id=claim.id,
                provider_id=claim.provider_id,
                user_id=claimant.id,
                business_name="Kitchen 1",
                slug="kitchen-1",
                reason=reason,
            )
        )
        assert reason in body(rig.mail_to(claimant))
    assert rig.subjects(claimant) == ["Your claim for Kitchen 1 was declined"] * 2

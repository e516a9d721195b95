"""Staff is notified of submitted profiles, owners of decisions and reviews."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fairground.contracts.accounts import Role, User
from fairground.contracts.providers import (
    OwnProvider,
    ProviderApproved,
    ProviderRejected,
    ProviderStatus,
    ProviderSubmitted,
)
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.ids import uuid7
from tests.modules.notifications.rig import PUBLIC_URL, Rig, body, subject

pytestmark = pytest.mark.anyio

SUBMITTED_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def owner(rig: Rig) -> User:
    return rig.accounts.add("Ada Lovelace", role=Role.PROVIDER)


@pytest.fixture
def staff(rig: Rig) -> list[User]:
    return [rig.accounts.add(name, role=Role.ADMIN) for name in ("Edsger Dijkstra", "Barbara Liskov")]


def profile(rig: Rig, owner: User, **changes: Any) -> OwnProvider:
    usual: dict[str, Any] = dict.fromkeys(OwnProvider.model_fields) | {
        "id": uuid7(),
        "slug": "bla-time-trio",
        "business_name": "Blå Time Trio",
        "location": "Oslo, Norway",
        "service_categories": ["band"],
        "rating_count": 0,
        "book_count": 0,
        "vertical": "artists",
        "timezone": "Europe/Oslo",
        "services": [],
        "is_claimed": True,
        "owner_id": owner.id,
        "status": ProviderStatus.SUBMITTED,
        "submitted_at": SUBMITTED_AT,
        "missing": [],
    }
    provider = OwnProvider(**(usual | changes))
    rig.providers.profiles[provider.id] = provider
    return provider


def change(rig: Rig, provider: OwnProvider, **changes: Any) -> None:
    rig.providers.profiles[provider.id] = provider.model_copy(update=changes)


def submitted(provider: OwnProvider, owner: User) -> ProviderSubmitted:
    return ProviderSubmitted(provider_id=provider.id, owner_id=owner.id, business_name=provider.business_name)


def rejected(provider: OwnProvider, owner: User, reason: str) -> ProviderRejected:
    return ProviderRejected(
        provider_id=provider.id, owner_id=owner.id, business_name=provider.business_name, reason=reason
    )


async def test_each_submission_notifies_all_staff_once(rig: Rig, owner: User, staff: list[User]) -> None:
    provider = profile(rig, owner)
    await rig.emit(submitted(provider, owner))
    await rig.deliver(submitted(provider, owner))
    change(rig, provider, submitted_at=SUBMITTED_AT + timedelta(days=1))
    await rig.emit(submitted(provider, owner))
    for user in staff:
        assert rig.subjects(user) == ["New profile to review: Blå Time Trio"] * 2
    mail = rig.mail_to(staff[0])
    assert "The profile of Blå Time Trio (Oslo, Norway) is ready for review." in body(mail)
    assert f"{PUBLIC_URL}/admin/approvals/{provider.id}\n" in body(mail)
    assert rig.subjects(owner) == []


async def test_submission_of_a_decided_profile_notifies_no_staff(rig: Rig, owner: User, staff: list[User]) -> None:
    provider = profile(rig, owner, status=ProviderStatus.APPROVED)
    await rig.emit(submitted(provider, owner))
    assert rig.mails() == []
    assert await rig.listed(staff[0]) == []


async def test_approval_links_to_the_public_page(rig: Rig, owner: User) -> None:
    provider = profile(rig, owner, status=ProviderStatus.APPROVED)
    await rig.emit(
        ProviderApproved(
            provider_id=provider.id, owner_id=owner.id, business_name=provider.business_name, slug=provider.slug
        )
    )
    mail = rig.mail_to(owner)
    assert subject(mail) == "Your profile Blå Time Trio is approved"
    assert f"View your page:\n{PUBLIC_URL}/p/bla-time-trio\n" in body(mail)


async def test_each_rejection_has_its_reason(rig: Rig, owner: User) -> None:
    provider = profile(rig, owner, status=ProviderStatus.REJECTED)
    await rig.emit(rejected(provider, owner, "The picture is too dark."))
    change(rig, provider, submitted_at=SUBMITTED_AT + timedelta(days=1))
    await rig.emit(rejected(provider, owner, "The text is another trio’s."))
    assert rig.subjects(owner) == ["Your profile Blå Time Trio needs changes"] * 2
    assert ["The picture is too dark." in body(mail) for mail in rig.mails()] == [True, False]
    assert f"{PUBLIC_URL}/pro/profile\n" in body(rig.mail_to(owner))


async def test_rejection_of_a_resubmitted_profile_is_not_mailed(rig: Rig, owner: User) -> None:
    provider = profile(rig, owner, status=ProviderStatus.SUBMITTED)
    await rig.emit(rejected(provider, owner, "The picture is too dark."))
    assert rig.mails() == []


async def test_each_review_is_mailed_with_the_totals(rig: Rig) -> None:
    provider = rig.providers.add_provider()
    owner = rig.accounts.add("Ada Lovelace", user_id=provider.owner_id)
    clear = rig.reviews.add(provider.id, rating=4, text="Clear.")
    await rig.emit(ProviderRated(provider_id=provider.id, rating_sum=4, rating_count=1, review_id=clear))
    seen = rig.reviews.add(provider.id, rating=5, text="Now I see.")
    second = ProviderRated(provider_id=provider.id, rating_sum=9, rating_count=2, review_id=seen)
    await rig.emit(second)
    await rig.deliver(second)
    first_mail, second_mail = rig.mails()
    assert "This is your first review." in body(first_mail)
    assert subject(second_mail) == "New review for Ada Lovelace"
    assert "Grace H. rated you 5 out of 5." in body(second_mail)
    assert "“Now I see.”" in body(second_mail)
    assert "You now have 2 reviews, with an average of 4.5 out of 5." in body(second_mail)
    assert len(await rig.listed(owner)) == 2


async def test_each_of_two_reviews_that_came_together_is_mailed(rig: Rig) -> None:
    provider = rig.providers.add_provider()
    owner = rig.accounts.add("Ada Lovelace", user_id=provider.owner_id)
    first, second = (rig.reviews.add(provider.id, rating=rating, text=f"{rating} stars") for rating in (3, 5))
    await rig.emit(ProviderRated(provider_id=provider.id, rating_sum=3, rating_count=1, review_id=first))
    await rig.emit(ProviderRated(provider_id=provider.id, rating_sum=8, rating_count=2, review_id=second))
    assert rig.subjects(owner) == ["New review for Ada Lovelace"] * 2
    assert ["“3 stars”" in body(mail) for mail in rig.mails()] == [True, False]
    assert ["“5 stars”" in body(mail) for mail in rig.mails()] == [False, True]


async def test_review_that_was_written_elsewhere_is_not_mailed(rig: Rig) -> None:
    provider = rig.providers.add_provider()
    owner = rig.accounts.add("Ada Lovelace", user_id=provider.owner_id)
    rig.reviews.add(provider.id, rating=4, text="")
    await rig.emit(ProviderRated(provider_id=provider.id, rating_sum=4, rating_count=1))
    assert rig.subjects(owner) == []

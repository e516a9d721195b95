"""A plan is written through the contracts: the same seed and day make the same marketplace, on both databases."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fairground.contracts.accounts import Role
from fairground.contracts.booking import BookingStatus
from fairground.contracts.providers import ProviderStatus
from fairground.kernel.money import major_from_minor
from fairground.ops.demo.plan import DemoPlan
from fairground.ops.demo.plan_builder import build_plan
from fairground.ops.demo.plan_writer import Contracts
from fairground.verticals.loader import load_verticals
from tests.support.databases import copy_of
from tests.support.demo import build_demo, opened

PROVIDERS = 12


def small_plan() -> DemoPlan:
    """Return a plan that has a provider in each state among its first twelve."""
    plan = build_plan(seed=1, verticals=load_verticals(), provider_count=50)
    others = [provider for provider in plan.providers if provider.state != "approved"]
    approved = [provider for provider in plan.providers if provider.state == "approved"]
    return plan.model_copy(update={"providers": tuple(approved[: PROVIDERS - len(others)] + others)})


async def write_plan(url: str, folder: Path) -> list[dict[str, Any]]:
    """Build the small demo and return what a visitor and the sides of its bookings can see."""
    async with opened(url, folder) as program:
        contracts = await build_demo(program, small_plan())
        owners = await contracts.accounts.list_users(role=Role.PROVIDER, limit=100)
        return [await describe(contracts, owner_id=owner.id, email=owner.email) for owner in owners]


async def describe(contracts: Contracts, *, owner_id: Any, email: str) -> dict[str, Any]:
    own = await contracts.providers.get_own_provider(owner_id=owner_id)
    services = await contracts.providers.list_services(provider_id=own.id, viewer_id=owner_id)
    bookings = await contracts.bookings.list_bookings(user_id=owner_id, side="provider", status=None, page=1, limit=100)
    reviews = await contracts.reviews.list_provider_reviews(provider_id=own.id, page=1, limit=100)
    inbox = await contracts.messages.list_conversations(user_id=owner_id, limit=100)
    return {
        "owner": email,
        "name": own.business_name,
        "status": own.status,
        "reason": own.rejection_reason,
        "picture": own.profile_picture_url is not None,
        "services": sorted((service.name, service.price_minor, service.currency) for service in services),
        "bookings": sorted((booking.starts_at, booking.status, booking.total_minor) for booking in bookings.data),
        "booked": bookings.total,
        "reviews": sorted((review.rating, review.text) for review in reviews.data),
        "threads": sorted((each.last_message.sequence, each.last_message.text) for each in inbox.data),
        "unread": inbox.unread_count,
    }


@pytest.fixture(scope="module")
async def written(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Build the demo once, for the tests that only look at it."""
    folder = tmp_path_factory.mktemp("written")
    return await write_plan(copy_of(sqlite_template, folder), folder)


async def test_every_planned_provider_exists_in_its_planned_state(written: list[dict[str, Any]]) -> None:
    planned = {provider.email: provider for provider in small_plan().providers}
    assert {each["owner"] for each in written} == set(planned)
    for each in written:
        plan = planned[each["owner"]]
        assert each["name"] == plan.profile.business_name
        assert each["status"] == ProviderStatus(plan.state)
        assert (each["reason"] or "") == plan.rejection_reason
        assert each["picture"]
        assert [price for _, price, _ in each["services"]] == [
            service.price_minor for service in sorted(plan.services, key=lambda service: service.name)
        ]


async def test_past_bookings_are_completed_and_reviewed_as_planned(written: list[dict[str, Any]]) -> None:
    planned = {provider.email: provider.calendar.bookings for provider in small_plan().providers}
    assert written
    for each in written:
        completed = [booking for booking in planned[each["owner"]] if booking.state == "completed"]
        statuses = Counter(status for _, status, _ in each["bookings"])
        assert statuses[BookingStatus.COMPLETED] == min(len(completed), 100)
        assert set(statuses) <= {BookingStatus.COMPLETED, BookingStatus.CONFIRMED, BookingStatus.REQUESTED}
        assert len(each["reviews"]) == len([booking for booking in completed if booking.review_by_customer])


async def test_threads_are_those_of_the_plan_and_questions_about_requests_are_unread(
    written: list[dict[str, Any]],
) -> None:
    planned = {provider.email: provider.calendar.bookings for provider in small_plan().providers}
    for each in written:
        threads = [(booking.state, booking.messages) for booking in planned[each["owner"]] if booking.messages]
        assert each["threads"] == sorted((len(messages), messages[-1].text) for _, messages in threads)
        ahead = [messages for state, messages in threads if state != "completed"]
        assert each["unread"] == sum(messages[-1].side == "customer" for messages in ahead)
    assert sum(each["unread"] for each in written)
    assert sum(len(each["threads"]) for each in written) > 5


async def test_two_runs_make_the_same_marketplace_on_either_database(
    migrated_url: str, tmp_path: Path, written: list[dict[str, Any]]
) -> None:
    assert await write_plan(migrated_url, tmp_path) == written


@pytest.mark.parametrize("currency", ["JPY", "KWD", "MGA", "RSD"])
async def test_demo_has_the_currency_of_the_installation(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, currency: str
) -> None:
    monkeypatch.setenv("FAIRGROUND_CURRENCY", currency)
    plan = small_plan()
    shown = await write_plan(copy_of(sqlite_template, tmp_path), tmp_path)
    services = [service for provider in shown for service in provider["services"]]
    assert {code for _, _, code in services} == {currency}
    whole_units = sorted(major_from_minor(price_minor, currency) for _, price_minor, _ in services)
    planned = [service for provider in plan.providers for service in provider.services]
    assert whole_units == sorted(major_from_minor(service.price_minor, service.currency) for service in planned)

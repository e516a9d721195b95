"""The demo's plan: deterministic, complete, and true to the rules of the contracts that it is written through."""

import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta, tzinfo

import pytest

from fairground.kernel.zones import get_zone
from fairground.ops.demo.plan import DemoDay, DemoProvider
from fairground.ops.demo.plan_builder import build_plan
from fairground.ops.demo.vocabulary import load_vocabulary
from fairground.verticals.loader import Verticals, load_verticals
from fairground.verticals.pricing import PriceModel

VERTICALS = load_verticals()
PLAN = build_plan(seed=1, verticals=VERTICALS)
BOOKINGS = [(provider, booking) for provider in PLAN.providers for booking in provider.calendar.bookings]


def test_equal_seeds_build_equal_plans_and_others_do_not() -> None:
    assert build_plan(seed=1, verticals=VERTICALS) == PLAN
    assert build_plan(seed=2, verticals=VERTICALS) != PLAN


def test_a_longer_plan_begins_like_a_short_one() -> None:
    assert build_plan(seed=1, verticals=VERTICALS, provider_count=40).providers == PLAN.providers[:40]


def test_the_first_start_does_not_wait_for_the_plan() -> None:
    # A seventh of a second of work was measured; the rest is room for slow machines and for measuring coverage.
    began = time.process_time()
    build_plan(seed=3, verticals=VERTICALS)
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_business_name_and_no_address_is_used_twice(seed: int) -> None:
    plan = build_plan(seed=seed, verticals=VERTICALS, provider_count=1000)
    emails = [provider.email for provider in plan.providers] + [customer.email for customer in plan.customers]
    assert len({provider.profile.business_name for provider in plan.providers}) == 1000
    assert len(set(emails)) == len(emails)


def test_no_category_of_a_shipped_pack_is_empty() -> None:
    planned = {
        (p.profile.vertical, slug) for p in PLAN.providers if p.state == "approved" for slug in p.profile.categories
    }
    assert planned == {(pack.key, category.slug) for pack in VERTICALS for category in pack.categories}


def test_some_providers_wait_for_approval_and_most_are_approved() -> None:
    states = Counter(provider.state for provider in PLAN.providers)
    assert states == {"approved": 282, "submitted": 6, "rejected": 6, "draft": 6}
    assert all(bool(provider.rejection_reason) == (provider.state == "rejected") for provider in PLAN.providers)


def test_services_keep_to_the_categories_modes_and_currency() -> None:
    assert PLAN.providers
    for provider in PLAN.providers:
        pack = VERTICALS.find(provider.profile.vertical)
        assert pack is not None
        assert provider.services
        for service in provider.services:
            assert service.category in provider.profile.categories
            assert service.booking_mode in pack.booking.modes
            assert service.currency == "EUR"
            assert service.price_minor % 100 == 0


def test_each_vertical_uses_its_price_models_and_places() -> None:
    for pack in VERTICALS:
        services = [each for one in PLAN.providers if one.profile.vertical == pack.key for each in one.services]
        assert {service.price_model for service in services} == set(pack.booking.price_models)
        for service in services:
            assert set(service.places) <= set(pack.booking.places)
            assert service.max_people or service.price_model is not PriceModel.PERSON
            assert (service.travel_radius_km is not None) == ("customer" in service.places)


def test_bookings_keep_to_the_terms_of_their_services() -> None:
    for provider, booking in BOOKINGS:
        service = provider.services[booking.service]
        assert booking.duration_minutes in service.lengths
        assert booking.place in service.places
        assert (booking.address is not None) == (booking.place == "customer")
        if booking.party_size is None:
            assert service.max_people == 1
        else:
            assert service.min_people <= booking.party_size <= (service.max_people or booking.party_size)
    assert {booking.place for _, booking in BOOKINGS} == {"customer", "provider", "online"}


def test_texts_are_filled_in_and_finished() -> None:
    assert any(booking.review_by_customer for _, booking in BOOKINGS)
    for provider in PLAN.providers:
        reviews = [booking.review_by_customer for booking in provider.calendar.bookings if booking.review_by_customer]
        for text in [provider.profile.bio, *(review.text for review in reviews), provider.services[0].description]:
            assert text.endswith((".", "!", "?"))
            assert "{" not in text
            assert "  " not in text


def test_bookings_start_on_the_grid_of_the_weekly_hours_and_end_within_them() -> None:
    assert BOOKINGS
    for provider, booking in BOOKINGS:
        pack = VERTICALS.find(provider.profile.vertical)
        assert pack is not None
        day = datetime(2026, 6, 1, tzinfo=UTC)
        start = datetime.combine(day, booking.start)
        end = start + timedelta(minutes=booking.duration_minutes)
        windows = [
            (datetime.combine(day, window.start), datetime.combine(day, window.end))
            for window in provider.calendar.hours
            if window.weekday == booking.day.weekday
        ]
        opening, _ = next(window for window in windows if window[0] <= start and end <= window[1])
        assert (start - opening) % timedelta(minutes=pack.booking.slot_minutes) == timedelta(0)


def test_a_provider_has_one_booking_a_day_and_none_on_a_day_off() -> None:
    assert any(provider.calendar.bookings and provider.calendar.days_off for provider in PLAN.providers)
    for provider in PLAN.providers:
        days = [booking.day for booking in provider.calendar.bookings]
        assert len(set(days)) == len(days)
        assert days == sorted(days, key=lambda day: (day.week, day.weekday))
        assert not set(days) & set(provider.calendar.days_off)


@pytest.mark.parametrize("today", [date(2026, 11, 16) + timedelta(days=extra) for extra in range(7)])
def test_past_bookings_are_completed_and_coming_ones_can_still_be_booked(today: date) -> None:
    assert {booking.state == "completed" for _, booking in BOOKINGS} == {True, False}
    for provider, booking in BOOKINGS:
        pack = VERTICALS.find(provider.profile.vertical)
        assert pack is not None
        days_ahead = (booking.day.on(today=today) - today).days
        if booking.state == "completed":
            assert days_ahead < 0
        else:
            assert pack.booking.min_notice_hours / 24 + 1 < days_ahead < pack.booking.horizon_days
            assert booking.review_by_customer is booking.review_by_provider is None


def test_an_instant_service_is_never_waiting_for_an_answer() -> None:
    waiting = [provider.services[booking.service] for provider, booking in BOOKINGS if booking.state == "requested"]
    assert waiting
    assert {service.booking_mode for service in waiting} == {"request"}


def test_some_providers_are_popular_and_some_are_new() -> None:
    counts = [len(provider.calendar.bookings) for provider in PLAN.providers]
    assert counts.count(0) > 30
    assert max(counts) >= 10
    assert 400 < sum(counts) < 1200


def test_some_bookings_have_a_thread_that_their_customer_begins() -> None:
    threads = [booking for _, booking in BOOKINGS if booking.messages]
    assert 0.1 < len(threads) / len(BOOKINGS) < 0.5
    assert all(booking.messages[0].side == "customer" for booking in threads)
    assert {len(booking.messages) for booking in threads if booking.state == "requested"} == {1}


def test_customers_of_bookings_are_in_the_plan() -> None:
    assert BOOKINGS
    assert all(booking.customer < len(PLAN.customers) for _, booking in BOOKINGS)


def test_a_day_is_counted_from_the_monday_of_the_week() -> None:
    assert DemoDay(week=-1, weekday=6).on(today=date(2026, 11, 22)) == date(2026, 11, 15)
    assert DemoDay(week=2, weekday=0).on(today=date(2026, 11, 16)) == date(2026, 11, 30)


def changes_its_offset(zone: tzinfo) -> bool:
    return len({datetime(2026, month, 15, tzinfo=zone).utcoffset() for month in range(1, 13)}) > 1


def test_cities_have_real_zones_with_and_without_summer_time() -> None:
    zones = [get_zone(city.timezone) for city in load_vocabulary().cities]
    changing = sum(map(changes_its_offset, zones))
    assert 20 < changing < len(zones) - 15


def test_place_of_a_city_fits_its_zone() -> None:
    cities = load_vocabulary().cities
    assert cities
    for city in cities:
        offset = datetime(2026, 1, 15, tzinfo=get_zone(city.timezone)).utcoffset()
        assert offset is not None
        # Civil time strays up to three hours from the sun's; a swapped sign or coordinate strays further.
        assert abs(offset / timedelta(hours=1) - city.lng / 15) < 3
        assert abs(city.lat) < 66


def test_only_packs_and_categories_that_exist_are_planned() -> None:
    tutors = VERTICALS.find("tutors")
    assert tutors is not None
    narrow = tutors.model_copy(update={"categories": tutors.categories[:2]})
    foreign = tutors.model_copy(update={"key": "gardeners"})
    plan = build_plan(seed=1, verticals=Verticals(packs=(foreign, narrow)), provider_count=20)
    assert {provider.profile.vertical for provider in plan.providers} == {"tutors"}
    assert {slug for provider in plan.providers for slug in provider.profile.categories} == {"mathematics", "physics"}


def test_a_horizon_too_short_for_the_demo_leaves_its_future_empty() -> None:
    tutors = VERTICALS.find("tutors")
    assert tutors is not None
    rules = tutors.booking.model_copy(update={"horizon_days": 7})
    plan = build_plan(seed=1, verticals=Verticals(packs=(tutors.model_copy(update={"booking": rules}),)))

    def is_past(provider: DemoProvider) -> bool:
        return all(booking.state == "completed" for booking in provider.calendar.bookings)

    assert all(map(is_past, plan.providers))

"""Invents a provider's days: past and coming bookings that never overlap, and days off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from fairground.ops.demo.plan import BookingState, DemoBooking, DemoDay, DemoHours, DemoService
from fairground.ops.demo.reviewing import ReviewWriter
from fairground.verticals.schema import BookingRules

PAST_WEEKS = range(-26, 0)
FIRST_FREE_WEEK = 2  # beyond any notice that a shipped pack asks for, whatever weekday the demo is built on
LAST_WEEK = 5
MOST_PAST_BOOKINGS = 12
COMING_BOOKINGS = (0, 0, 0, 0, 0, 1, 1, 2)  # each is held, paid and accepted like a real one, which takes its time
CUSTOMER_REVIEWS_SHARE = 0.8
PROVIDER_REVIEWS_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Trade:
    """What a diary is filled from: a provider's offer, and who might take it."""

    services: Sequence[DemoService]
    hours: Sequence[DemoHours]
    rules: BookingRules
    customers: int
    notes: Sequence[str]


def draw_bookings(chance: Random, trade: Trade, *, reviews: ReviewWriter) -> tuple[DemoBooking, ...]:
    """Return few bookings for most providers and many for some, at most one a day, the earliest first."""
    past = min(MOST_PAST_BOOKINGS, int(chance.paretovariate(1.1)) - 1)
    days = draw_days(chance, trade, count=past, weeks=PAST_WEEKS)
    days += draw_days(chance, trade, count=chance.choice(COMING_BOOKINGS), weeks=_coming_weeks(trade.rules))
    return tuple(_draw_booking(chance, trade, day=day, reviews=reviews) for day in days)


def draw_days_off(chance: Random, trade: Trade, *, bookings: Sequence[DemoBooking]) -> tuple[DemoDay, ...]:
    """Return up to three coming days on which the provider would work, but does not; none that is booked."""
    booked = {booking.day for booking in bookings}
    days = draw_days(chance, trade, count=chance.randint(0, 3), weeks=_coming_weeks(trade.rules))
    return tuple(day for day in days if day not in booked)


def draw_days(chance: Random, trade: Trade, *, count: int, weeks: range) -> list[DemoDay]:
    weekdays = sorted({window.weekday for window in trade.hours})
    every = [(week, weekday) for week in weeks for weekday in weekdays]
    drawn = chance.sample(every, k=min(count, len(every)))
    return [DemoDay(week=week, weekday=weekday) for week, weekday in sorted(drawn)]


def _coming_weeks(rules: BookingRules) -> range:
    return range(FIRST_FREE_WEEK, min(LAST_WEEK, rules.horizon_days // 7 - 1) + 1)


def _draw_booking(chance: Random, trade: Trade, *, day: DemoDay, reviews: ReviewWriter) -> DemoBooking:
    starts = [
        (index, start)
        for index, service in enumerate(trade.services)
        for window in trade.hours
        if window.weekday == day.weekday
        for start in starts_within(window, minutes=service.duration_minutes, step_minutes=trade.rules.slot_minutes)
    ]
    index, start = chance.choice(starts)
    service = trade.services[index]
    is_past = day.week < 0
    return DemoBooking(
        customer=chance.randrange(trade.customers),
        service=index,
        day=day,
        start=start,
        state="completed" if is_past else _draw_state(chance, service),
        note=chance.choice(trade.notes),
        review_by_customer=reviews.review_provider() if is_past and chance.random() < CUSTOMER_REVIEWS_SHARE else None,
        review_by_provider=reviews.review_customer() if is_past and chance.random() < PROVIDER_REVIEWS_SHARE else None,
    )


def starts_within(window: DemoHours, *, minutes: int, step_minutes: int) -> list[time]:
    """Return the starts on the window's grid from which so many minutes fit into it."""
    opening, closing = (datetime.combine(date.min, at) for at in (window.start, window.end))
    last = (closing - opening) // timedelta(minutes=1) - minutes
    return [(opening + timedelta(minutes=offset)).time() for offset in range(0, last + 1, step_minutes)]


def _draw_state(chance: Random, service: DemoService) -> BookingState:
    # An instant service is never asked for: paying confirms it.
    return "confirmed" if service.booking_mode == "instant" else chance.choice(["requested", "confirmed"])

"""Draws a provider's bookings, past and future, messages and reviews about them, and days off. No bookings overlap."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import cycle
from random import Random

from fairground.kernel.addresses import Address
from fairground.ops.demo.plan import (
    BookingState,
    DemoBooking,
    DemoDay,
    DemoHours,
    DemoMessage,
    DemoReview,
    DemoService,
)
from fairground.ops.demo.vocabulary import Reviews, Thread
from fairground.verticals.schema import BookingRules

PAST_WEEKS = range(-26, 0)
FIRST_FREE_WEEK = 2  # beyond any notice that a shipped pack asks for, whatever weekday the demo is built on
LAST_WEEK = 5
MOST_PAST_BOOKINGS = 12
BUSY_PAST_BOOKINGS = 8
BUSY_COMING_BOOKINGS = 4
BUSY_STATES: tuple[BookingState, ...] = ("requested", "confirmed")  # in turn
COMING_BOOKINGS = (0, 0, 0, 0, 0, 1, 1, 2)  # each is held, paid and accepted like a real one, which takes time
CUSTOMER_REVIEWS_SHARE = 0.8
PROVIDER_REVIEWS_SHARE = 0.4
USUAL_CROWD = 120  # people at most, where a service has no limit of its own
THREADS_SHARE = {"completed": 0.35, "confirmed": 0.6, "requested": 0.6}
STARS = {5: 66, 4: 24, 3: 8, 2: 2}  # percent; a list of nothing but five stars could not be sorted
SECOND_SENTENCE_SHARE = {5: 0.4, 4: 0.3}  # a satisfied customer writes more


@dataclass(frozen=True, kw_only=True)
class Offer:
    """What bookings are drawn from: a provider's services and hours, and who may book them."""

    services: Sequence[DemoService]
    hours: Sequence[DemoHours]
    rules: BookingRules
    draw_address: Callable[[], Address]
    """Return the address of a customer near the provider."""
    customers: int
    notes: Sequence[str]


class ReviewWriter:
    """Writes the reviews of one provider; a sentence is repeated only when all of its rating were used."""

    def __init__(self, chance: Random, reviews: Reviews, *, vertical: str, given: str) -> None:
        self._chance = chance
        self._given = given
        self._about_provider = reviews.by_stars[vertical]
        self._about_customers = reviews.about_customers
        self._unused: dict[int, list[str]] = {}

    def review_provider(self) -> DemoReview:
        rating = self._chance.choices(list(STARS), weights=list(STARS.values()))[0]
        sentences = [self._draw_sentence(rating)]
        if self._chance.random() < SECOND_SENTENCE_SHARE.get(rating, 0):
            sentences.append(self._draw_sentence(rating))
        return DemoReview(rating=rating, text=" ".join(sentences))

    def review_customer(self) -> DemoReview:
        return DemoReview(rating=self._chance.choice([5, 5, 5, 4]), text=self._chance.choice(self._about_customers))

    def _draw_sentence(self, rating: int) -> str:
        unused = self._unused.setdefault(rating, [])
        if not unused:
            texts = self._about_provider[rating]
            unused.extend(self._chance.sample(texts, k=len(texts)))
        return unused.pop().format(given=self._given)


def draw_bookings(chance: Random, offer: Offer, *, reviews: ReviewWriter) -> tuple[DemoBooking, ...]:
    """Return few bookings for most providers and many for some, at most one a day, the earliest first."""
    past = min(MOST_PAST_BOOKINGS, int(chance.paretovariate(1.1)) - 1)
    days = draw_days(chance, offer, count=past, weeks=PAST_WEEKS)
    days += draw_days(chance, offer, count=chance.choice(COMING_BOOKINGS), weeks=_coming_weeks(offer.rules))
    return tuple(_draw_booking(chance, offer, day=day, reviews=reviews) for day in days)


def draw_busy_bookings(chance: Random, offer: Offer, *, reviews: ReviewWriter) -> tuple[DemoBooking, ...]:
    """Return the bookings of a provider whose account the README names: a history, and requests to answer."""
    days = draw_days(chance, offer, count=BUSY_PAST_BOOKINGS, weeks=PAST_WEEKS)
    days += draw_days(chance, offer, count=BUSY_COMING_BOOKINGS, weeks=_coming_weeks(offer.rules))
    bookings = [_draw_booking(chance, offer, day=day, reviews=reviews) for day in days]
    coming = [booking for booking in bookings if booking.state != "completed"]
    answered = {
        booking.day: booking.model_copy(update={"state": state})
        for booking, state in zip(coming, cycle(BUSY_STATES), strict=False)
    }
    if coming:
        # The customer whose account the README names has something ahead, too.
        last = coming[-1].day
        answered[last] = answered[last].model_copy(update={"customer": 0})
    return tuple(answered.get(booking.day, booking) for booking in bookings)


def draw_messages(
    chance: Random, bookings: Sequence[DemoBooking], *, threads: Sequence[Thread]
) -> tuple[DemoBooking, ...]:
    """Return the bookings, some of them with a thread. Who asks for a booking waits for the answer to a question."""
    talking = []
    for booking in bookings:
        lines = chance.choice(threads).lines if chance.random() < THREADS_SHARE[booking.state] else ()
        shown = lines[:1] if booking.state == "requested" else lines
        messages = tuple(DemoMessage(side=side, text=text) for side, text in shown)
        talking.append(booking.model_copy(update={"messages": messages}))
    return tuple(talking)


def draw_days_off(chance: Random, offer: Offer, *, bookings: Sequence[DemoBooking]) -> tuple[DemoDay, ...]:
    """Return up to three coming days on which the provider would work, but does not; none that is booked."""
    booked = {booking.day for booking in bookings}
    days = draw_days(chance, offer, count=chance.randint(0, 3), weeks=_coming_weeks(offer.rules))
    return tuple(day for day in days if day not in booked)


def draw_days(chance: Random, offer: Offer, *, count: int, weeks: range) -> list[DemoDay]:
    weekdays = sorted({window.weekday for window in offer.hours})
    every = [(week, weekday) for week in weeks for weekday in weekdays]
    drawn = chance.sample(every, k=min(count, len(every)))
    return [DemoDay(week=week, weekday=weekday) for week, weekday in sorted(drawn)]


def _coming_weeks(rules: BookingRules) -> range:
    return range(FIRST_FREE_WEEK, min(LAST_WEEK, rules.horizon_days // 7 - 1) + 1)


def _draw_booking(chance: Random, offer: Offer, *, day: DemoDay, reviews: ReviewWriter) -> DemoBooking:
    starts = [
        (index, minutes, start)
        for index, service in enumerate(offer.services)
        for minutes in service.lengths
        for window in offer.hours
        if window.weekday == day.weekday
        for start in starts_within(window, minutes=minutes, step_minutes=offer.rules.slot_minutes)
    ]
    index, minutes, start = chance.choice(starts)
    service = offer.services[index]
    place = chance.choice(service.places)
    is_past = day.week < 0
    return DemoBooking(
        customer=chance.randrange(offer.customers),
        service=index,
        day=day,
        start=start,
        duration_minutes=minutes,
        place=place,
        address=offer.draw_address() if place == "customer" else None,
        party_size=_draw_party_size(chance, service, offer.rules),
        state="completed" if is_past else _draw_state(chance, service),
        note=chance.choice(offer.notes),
        review_by_customer=reviews.review_provider() if is_past and chance.random() < CUSTOMER_REVIEWS_SHARE else None,
        review_by_provider=reviews.review_customer() if is_past and chance.random() < PROVIDER_REVIEWS_SHARE else None,
    )


def _draw_party_size(chance: Random, service: DemoService, rules: BookingRules) -> int | None:
    if rules.party_size is None or service.max_people == 1:
        return None
    most = min(service.max_people or USUAL_CROWD, rules.party_size.maximum)
    return chance.randint(service.min_people, max(service.min_people, most))


def starts_within(window: DemoHours, *, minutes: int, step_minutes: int) -> list[time]:
    """Return the starts on the window's grid from which so many minutes fit into it."""
    opening, closing = (datetime.combine(date.min, at) for at in (window.start, window.end))
    last = (closing - opening) // timedelta(minutes=1) - minutes
    return [(opening + timedelta(minutes=offset)).time() for offset in range(0, last + 1, step_minutes)]


def _draw_state(chance: Random, service: DemoService) -> BookingState:
    # Paying confirms a booking of an instant service; there is no request.
    return "confirmed" if service.booking_mode == "instant" else chance.choice(["requested", "confirmed"])

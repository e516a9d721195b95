"""Writes a plan through the contracts that people use too, so the demo holds only what the product allows."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.booking import (
    AvailabilityRules,
    Bookings,
    DatedException,
    NotOffered,
    PastBooking,
    SlotTaken,
    WeeklyHours,
)
from fairground.contracts.messaging import Messages, MessageSide, PastMessage, PastThread
from fairground.contracts.providers import (
    BookingMode,
    NewProvider,
    ProfileIn,
    Providers,
    ProviderStatus,
    ServiceIn,
    ServiceTerms,
)
from fairground.contracts.reviews import PastReview, Reviews, ReviewSide
from fairground.kernel.money import major_from_minor, minor_from_major
from fairground.kernel.zones import get_zone
from fairground.ops.demo.pictures.draw import draw_portrait
from fairground.ops.demo.plan import DemoBooking, DemoPlan, DemoProvider, DemoService
from fairground.platform.module import DemoContent
from fairground.platform.private_files import make_private_folder

PASSWORD: Final = "demo-fairground"  # noqa: S105 - public: `up` prints it
ADMIN_EMAIL: Final = "admin@example.org"
PICTURES_PATH: Final = "/pictures"
_CARD: Final = "pm_card_visa"
_AT_ONCE: Final = 16  # concurrent transactions share their commits
_BATCH: Final = 500
_TERMS: Final = set(ServiceTerms.model_fields) - {"price_minor", "currency"}
_REVIEWED_AFTER: Final = timedelta(days=1)
_WRITTEN_BEFORE: Final = timedelta(days=4)
_BETWEEN_MESSAGES: Final = timedelta(hours=5, minutes=40)
_THREADS_BATCH: Final = 100  # of at most five messages

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Contracts:
    accounts: Accounts
    providers: Providers
    bookings: Bookings
    reviews: Reviews
    messages: Messages


@dataclass(frozen=True)
class WrittenProvider:
    planned: DemoProvider
    owner_id: UUID
    id: UUID
    service_ids: list[UUID]


class PlanWriter:
    """Writes one plan.

    Args:
        today: The day that the plan's relative days are counted from.
        pictures_dir: Where generated pictures go; they are served under /pictures.
    """

    def __init__(self, contracts: Contracts, *, plan: DemoPlan, today: date, pictures_dir: Path) -> None:
        self._contracts = contracts
        self._plan = plan
        self._today = today
        self._pictures_dir = pictures_dir

    async def write(self) -> DemoContent:
        """Write the plan, and return what later parts of the demo can refer to."""
        currency = await self._contracts.providers.get_currency()
        owners, customers, admin_id = await self._create_accounts()
        make_private_folder(self._pictures_dir)

        written = []
        for some in _batches(list(zip(self._plan.providers, owners, strict=True))):
            written += await self._create_providers(some, admin_id=admin_id, currency=currency)
        approved = [provider for provider in written if provider.planned.state == "approved"]
        await self._record_past(approved, customers)
        threads = await _map(approved, lambda provider: self._book_ahead(provider, customers))
        await self._record_threads([thread for some in threads for thread in some])
        return DemoContent(
            customer_ids=customers,
            provider_ids=[provider.id for provider in approved],
        )

    async def _create_accounts(self) -> tuple[list[UUID], list[UUID], UUID]:
        people = [
            *((provider.email, provider.owner_name, Role.PROVIDER) for provider in self._plan.providers),
            *((customer.email, customer.name, Role.CUSTOMER) for customer in self._plan.customers),
            (ADMIN_EMAIL, "Ada Admin", Role.ADMIN),
        ]
        users = await self._contracts.accounts.create_users_in_bulk(users=people, password=PASSWORD)
        ids = [user.id for user in users]
        count = len(self._plan.providers)
        return ids[:count], ids[count:-1], ids[-1]

    async def _create_providers(
        self, planned: Sequence[tuple[DemoProvider, UUID]], *, admin_id: UUID, currency: str
    ) -> list[WrittenProvider]:
        created = await self._contracts.providers.create_providers_in_bulk(
            providers=[
                NewProvider(
                    owner_id=owner_id,
                    profile=_profile(each),
                    services=[_service(service, currency=currency) for service in each.services],
                    picture_url=self._draw(each),
                    status=ProviderStatus(each.state),
                    rejection_reason=each.rejection_reason or None,
                )
                for each, owner_id in planned
            ],
            staff_id=admin_id,
        )
        written = [
            WrittenProvider(each, owner_id, new.id, new.service_ids)
            for (each, owner_id), new in zip(planned, created, strict=True)
        ]
        rules = {provider.id: self._rules(provider.planned) for provider in written}
        await self._contracts.bookings.set_first_rules(rules=rules)
        return written

    def _rules(self, planned: DemoProvider) -> AvailabilityRules:
        return AvailabilityRules(
            timezone=planned.profile.place.timezone,
            weekly=[WeeklyHours(weekday=day.weekday, start=day.start, end=day.end) for day in planned.calendar.hours],
            exceptions=[
                DatedException(date=day.on(today=self._today), available=False) for day in planned.calendar.days_off
            ],
        )

    def _draw(self, planned: DemoProvider) -> str:
        """Draw the provider's picture into a file and return its address."""
        picture = draw_portrait(planned.picture).encode()
        # Named by its content, so that a demo that is built again after an interruption leaves no second file.
        file = self._pictures_dir / f"{UUID(bytes=hashlib.sha256(picture).digest()[:16])}.svg"
        file.write_bytes(picture)
        return f"{PICTURES_PATH}/{file.name}"

    async def _record_past(self, providers: Sequence[WrittenProvider], customers: Sequence[UUID]) -> None:
        past = [
            (provider, booking)
            for provider in providers
            for booking in provider.planned.calendar.bookings
            if booking.state == "completed"
        ]
        for some in _batches(past):
            ids = await self._contracts.bookings.record_past_bookings(
                bookings=[
                    PastBooking(
                        customer_id=customers[booking.customer],
                        service_id=provider.service_ids[booking.service],
                        starts_at=self._start(provider, booking),
                        note=booking.note or None,
                    )
                    for provider, booking in some
                ]
            )
            reviews = [
                review
                for booking_id, (provider, booking) in zip(ids, some, strict=True)
                for review in self._reviews_of(provider, booking, booking_id=booking_id)
            ]
            for few in _batches(reviews):
                await self._contracts.reviews.record_past_reviews(reviews=few)
            await self._record_threads(
                [
                    self._past_thread(provider, booking, booking_id=booking_id)
                    for booking_id, (provider, booking) in zip(ids, some, strict=True)
                ]
            )

    def _past_thread(self, provider: WrittenProvider, booking: DemoBooking, *, booking_id: UUID) -> PastThread:
        begins_at = self._start(provider, booking) - _WRITTEN_BEFORE
        return _thread(booking, booking_id=booking_id, begins_at=begins_at, between=_BETWEEN_MESSAGES, is_read=True)

    async def _record_threads(self, threads: Sequence[PastThread]) -> None:
        for some in _batches([thread for thread in threads if thread.messages], size=_THREADS_BATCH):
            await self._contracts.messages.record_past_threads(threads=some)

    def _reviews_of(self, provider: WrittenProvider, booking: DemoBooking, *, booking_id: UUID) -> list[PastReview]:
        written_at = min(self._start(provider, booking) + _REVIEWED_AFTER, datetime.now(UTC))
        by_side = {ReviewSide.CUSTOMER: booking.review_by_customer, ReviewSide.PROVIDER: booking.review_by_provider}
        return [
            PastReview(booking_id=booking_id, side=side, rating=review.rating, text=review.text, written_at=written_at)
            for side, review in by_side.items()
            if review is not None
        ]

    async def _book_ahead(self, provider: WrittenProvider, customers: Sequence[UUID]) -> list[PastThread]:
        """Make the coming bookings, and return what their sides have written about them."""
        threads = []
        for booking in provider.planned.calendar.bookings:
            if booking.state != "completed":
                booking_id = await self._book(provider, booking, customer_id=customers[booking.customer])
                if booking_id is not None:
                    # The booking was made a moment ago, and none of its messages can be older.
                    now, none = datetime.now(UTC), timedelta(0)
                    threads.append(_thread(booking, booking_id=booking_id, begins_at=now, between=none, is_read=False))
        return threads

    async def _book(self, provider: WrittenProvider, booking: DemoBooking, *, customer_id: UUID) -> UUID | None:
        bookings = self._contracts.bookings
        try:
            held = await bookings.hold(
                customer_id=customer_id,
                service_id=provider.service_ids[booking.service],
                starts_at=self._start(provider, booking),
                note=booking.note or None,
                place=booking.place,
                address=booking.address,
                party_size=booking.party_size,
                duration_minutes=booking.duration_minutes,
            )
        except (NotOffered, SlotTaken):
            return None  # an hour that a change of clocks skips in the week that the demo is built in
        await bookings.pay(customer_id=customer_id, booking_id=held.id, payment_method=_CARD)
        if booking.state == "confirmed" and held.booking_mode is BookingMode.REQUEST:
            await bookings.accept(owner_id=provider.owner_id, booking_id=held.id)
        return held.id

    def _start(self, provider: WrittenProvider, booking: DemoBooking) -> datetime:
        zone = get_zone(provider.planned.profile.place.timezone)
        day = booking.day.on(today=self._today)
        return datetime.combine(day, booking.start, tzinfo=zone).astimezone(UTC)


def _thread(
    planned: DemoBooking, *, booking_id: UUID, begins_at: datetime, between: timedelta, is_read: bool
) -> PastThread:
    messages = [
        PastMessage(side=MessageSide(message.side), text=message.text, written_at=begins_at + number * between)
        for number, message in enumerate(planned.messages)
    ]
    return PastThread(booking_id=booking_id, messages=messages, is_read=is_read)


def _service(planned: DemoService, *, currency: str) -> ServiceIn:
    """Return a service at the planned price, as so many whole units of the installation's currency."""
    price = major_from_minor(planned.price_minor, planned.currency)
    return ServiceIn(
        name=planned.name,
        category=planned.category,
        price_minor=minor_from_major(price, currency),
        currency=currency,
        **planned.model_dump(include=_TERMS),
        places=list(planned.places),
        booking_mode=BookingMode(planned.booking_mode),
        description=planned.description,
    )


def _profile(planned: DemoProvider) -> ProfileIn:
    profile = planned.profile
    return ProfileIn(
        vertical=profile.vertical,
        business_name=profile.business_name,
        custom_subtitle=profile.custom_subtitle,
        bio=profile.bio,
        location=profile.place.location,
        lat=profile.place.lat,
        lng=profile.place.lng,
        timezone=profile.place.timezone,
        categories=list(profile.categories),
        address=profile.address,
        meeting_details=profile.meeting_details,
    )


async def _map(items: Iterable[_Item], work: Callable[[_Item], Awaitable[_Result]]) -> list[_Result]:
    """Do the work for all items, some of them at a time, and return the results in order."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def one(item: _Item) -> _Result:
        async with room:
            return await work(item)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def _batches(items: Sequence[_Item], *, size: int = _BATCH) -> Iterable[list[_Item]]:
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some

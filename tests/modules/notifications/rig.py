"""The notifications of a real job table, a real folder of mail and real bookings, with neighbours from memory."""

import email
import email.policy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from fairground.contracts.accounts import Accounts, StaffAccounts, User
from fairground.contracts.booking import AvailabilityRules, Bookings, BookingView, WeeklyHours
from fairground.contracts.messaging import Messages, ThreadMessage
from fairground.contracts.notifications import Notification, Notifications
from fairground.contracts.payments import Payments
from fairground.contracts.providers import BookingMode, OwnProvider, ProviderNotFound, Providers
from fairground.contracts.providers.claims import Claims, ClaimToDecide
from fairground.contracts.providers.staff import StaffProviders
from fairground.contracts.reviews import Review, Reviews, ReviewSide
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Message
from fairground.modules.booking import module as booking_module
from fairground.modules.messaging import module as messaging_module
from fairground.modules.notifications import module as notifications_module
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.runner import drain
from fairground.platform.mail.mailer import FolderMailer
from fairground.platform.module import Links, Module
from tests.doubles.accounts import FakeAccounts
from tests.doubles.payments import GOOD_CARD, FakePayments
from tests.doubles.providers import FakeProviders
from tests.support.runtime import make_runtime

PUBLIC_URL = "https://fair.example"
ALWAYS_OPEN = [WeeklyHours(weekday=day, start=time(0), end=time(0)) for day in range(7)]


@dataclass
class CatalogWithProfiles(FakeProviders):
    profiles: dict[UUID, OwnProvider] = field(default_factory=dict)

    async def get_provider_for_review(self, *, provider_id: UUID) -> OwnProvider:
        if provider_id not in self.profiles:
            raise ProviderNotFound(f"Provider {provider_id} does not exist.")
        return self.profiles[provider_id]


@dataclass
class FakeReviews:
    reviews: list[Review] = field(default_factory=list)

    def add(self, provider_id: UUID, *, rating: int, text: str) -> UUID:
        review = Review(
            id=uuid7(),
            booking_id=uuid7(),
            provider_id=provider_id,
            side=ReviewSide.CUSTOMER,
            author_name="Grace H.",
            rating=rating,
            text=text,
            created_at=datetime.now(UTC),
        )
        self.reviews.insert(0, review)
        return review.id

    async def find_review(self, *, review_id: UUID) -> Review | None:
        return next((review for review in self.reviews if review.id == review_id), None)


class FakeClaims:
    def __init__(self) -> None:
        self.claims: dict[UUID, ClaimToDecide] = {}

    async def get_claim(self, *, claim_id: UUID) -> ClaimToDecide:
        return self.claims[claim_id]


@dataclass
class Rig:
    db: Database
    routes: Routes
    mail_folder: Path
    accounts: FakeAccounts
    providers: CatalogWithProfiles
    reviews: FakeReviews
    claims: FakeClaims
    payments: FakePayments
    bookings: Bookings
    messages: Messages
    notifications: Notifications
    module: Module
    customer: User
    owner: User = field(init=False)

    async def work(self) -> None:
        """Run every due job and the jobs that follow from it."""
        await drain(self.db, routes=self.routes)

    async def emit(self, event: Any) -> None:
        async with self.db.write() as tx:
            await tx.emit(event)
        await self.work()

    async def deliver(self, message: Message) -> None:
        """Deliver a message once more, outside the job table."""
        await self.module.handlers[type(message)](message)

    def pass_time(self, **span: float) -> None:
        self.db.clock_shift += timedelta(**span)

    async def hold(
        self, *, mode: BookingMode = BookingMode.REQUEST, days_ahead: int = 9, **details: Any
    ) -> BookingView:
        """Hold Ada's time at 10:00 UTC, which is another time in Oslo, where she works."""
        provider = self.providers.add_provider(timezone="Europe/Oslo")
        assert provider.owner_id is not None
        self.owner = self.accounts.add("Ada Lovelace", user_id=provider.owner_id)
        rules = AvailabilityRules(timezone="Europe/Oslo", weekly=ALWAYS_OPEN)
        await self.bookings.set_rules(owner_id=provider.owner_id, provider_id=provider.id, rules=rules)
        offer = self.providers.add_service(
            provider, mode=mode, price_minor=15901, places=[details.get("place", "online")]
        )
        async with self.db.read() as tx:
            day = (await tx.current_time()).date() + timedelta(days=days_ahead)
        return await self.bookings.hold(
            customer_id=self.customer.id,
            service_id=offer.service_id,
            starts_at=datetime.combine(day, time(10), tzinfo=UTC),
            **details,
        )

    async def pay(self, booking: BookingView) -> BookingView:
        return await self.bookings.pay(customer_id=self.customer.id, booking_id=booking.id, payment_method=GOOD_CARD)

    async def request(self, **details: Any) -> BookingView:
        return await self.pay(await self.hold(**details))

    async def accepted(self, **details: Any) -> BookingView:
        booking = await self.request(**details)
        return await self.bookings.accept(owner_id=self.owner.id, booking_id=booking.id)

    async def write(self, booking: BookingView, sender: User, text: str = "Is there a piano?") -> ThreadMessage:
        """Send a message, and run what follows from it at once."""
        message = await self.messages.send_message(
            sender_id=sender.id, booking_id=booking.id, text=text, client_message_id=uuid7()
        )
        await self.work()
        return message

    async def read(self, booking: BookingView, reader: User, *, up_to: int) -> None:
        await self.messages.mark_read(user_id=reader.id, booking_id=booking.id, sequence=up_to)
        await self.work()

    def mails(self) -> list[EmailMessage]:
        """Return the mails of the folder, the oldest first."""
        files = sorted(self.mail_folder.glob("*.eml")) if self.mail_folder.is_dir() else []
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def mail_to(self, user: User) -> EmailMessage:
        """Return the newest mail to a user."""
        return [mail for mail in self.mails() if mail["To"] == user.email][-1]

    def subjects(self, user: User) -> list[str]:
        return [subject(mail) for mail in self.mails() if mail["To"] == user.email]

    async def listed(self, user: User) -> Sequence[Notification]:
        return (await self.notifications.list_notifications(user_id=user.id, limit=100)).data


def subject(mail: EmailMessage) -> str:
    """Return the subject without the white space that the library leaves where it folded the line."""
    return str(mail["Subject"]).strip()


def body(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert part is not None
    content: str = part.get_content()
    return content


def make_rig(db: Database, routes: Routes, mail_folder: Path) -> Rig:
    accounts, providers, reviews, links = FakeAccounts(), CatalogWithProfiles(), FakeReviews(), Links()
    payments = FakePayments()
    links.provide(Accounts, cast("Accounts", accounts))
    links.provide(Providers, cast("Providers", providers))
    claims = FakeClaims()
    links.provide(Claims, cast("Claims", claims))
    links.provide(Payments, cast("Payments", payments))
    links.provide(Reviews, cast("Reviews", reviews))
    # Booking has them for staff, who do nothing here.
    links.provide(StaffAccounts, cast("StaffAccounts", accounts))
    links.provide(StaffProviders, cast("StaffProviders", providers))
    links.provide(StaffPayments, cast("StaffPayments", payments))
    mailer = FolderMailer(mail_folder, sender="Fairground <no-reply@fair.example>")
    runtime = make_runtime(db, mail_folder, public_url=PUBLIC_URL, mailer=mailer, mail_from="Fair <hello@fair.example>")
    booking, messaging = booking_module.build(runtime, links), messaging_module.build(runtime, links)
    module = notifications_module.build(runtime, links)
    for each in (booking, messaging, module):
        routes.add(each.name, handlers=each.handlers)
    return Rig(
        db=db,
        routes=routes,
        mail_folder=mail_folder,
        accounts=accounts,
        providers=providers,
        reviews=reviews,
        claims=claims,
        payments=payments,
        bookings=links.of(Bookings),
        messages=links.of(Messages),
        notifications=links.of(Notifications),
        module=module,
        customer=accounts.add("Grace Hopper"),
    )

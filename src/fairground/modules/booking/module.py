"""Builds booking."""

from collections.abc import Mapping
from datetime import timedelta

from fairground.contracts.accounts import AccountClosed, AccountObligations, Accounts, StaffAccounts
from fairground.contracts.booking import (
    AvailabilityRulesSet,
    BookingCancelled,
    BookingDeclined,
    BookingExpired,
    BookingHeld,
    Bookings,
    FirstHoursSet,
)
from fairground.contracts.booking.staff import StaffBookings
from fairground.contracts.payments import PaymentAuthorised, PaymentCaptured, Payments
from fairground.contracts.providers import Providers, ProviderSchedules, ProviderTimezoneSet, ServicesChanged
from fairground.contracts.providers.staff import StaffProviders
from fairground.contracts.reviews import PastReviewsRecorded, ReviewWritten
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.messages import Message
from fairground.modules.booking import http
from fairground.modules.booking.deals.expiry import ExpireLapsed
from fairground.modules.booking.deals.transitions import (
    CompleteBooking,
    ExpireBooking,
    RefundPayment,
    ReleasePayment,
    Transitions,
)
from fairground.modules.booking.http.staff import staff_routes
from fairground.modules.booking.service import Parts, assemble, assemble_staff
from fairground.modules.booking.settings import BookingSettings
from fairground.modules.booking.tables import history
from fairground.modules.booking.time.hours import EndPause
from fairground.platform.module import Handler, Links, Module, Projection, Schedule
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    accounts, providers, payments = links.of(Accounts), links.of(Providers), links.of(Payments)
    settings = runtime.settings.of(BookingSettings)
    parts = assemble(
        db=runtime.db,
        accounts=accounts,
        providers=providers,
        payments=payments,
        verticals=runtime.verticals,
        settings=settings,
        public_url=runtime.public_url,
        organizer=runtime.mail_from,
    )
    staff = assemble_staff(
        db=runtime.db,
        accounts=accounts,
        directory=links.of(StaffAccounts),
        providers=providers,
        moderation=links.of(StaffProviders),
        payments=payments,
        refunds=links.of(StaffPayments),
        transitions=Transitions(allocations=parts.allocations, settings=settings),
    )
    links.provide(Bookings, parts.service)
    links.provide(StaffBookings, staff)
    links.provide(ProviderSchedules, parts.schedules)
    links.provide(AccountObligations, parts.queries)
    return Module(
        name="booking",
        history=history,
        routers=[http.routes(parts.service, providers=providers), staff_routes(staff)],
        handlers=handlers_of(parts),
        # Whatever has changed, the summary is made from what is there.
        projections=dict.fromkeys(
            (BookingHeld, BookingDeclined, BookingCancelled, BookingExpired, AvailabilityRulesSet, ServicesChanged),
            Projection(key=lambda event: event.provider_id),
        ),
        schedules=[Schedule(job=ExpireLapsed(), every=timedelta(minutes=1), runs_at_start=True)],
        start=parts.allocations.prove_guard,
    )


def handlers_of(parts: Parts) -> Mapping[type[Message], Handler]:
    """Return what takes each message. Each looks at the booking as it is now, not as it was when it was written."""
    return {
        BookingHeld: parts.summaries.follow_change,
        BookingDeclined: parts.summaries.follow_change,
        BookingCancelled: parts.summaries.follow_change,
        BookingExpired: parts.summaries.follow_change,
        AvailabilityRulesSet: parts.summaries.follow_change,
        FirstHoursSet: parts.summaries.follow_first_hours,
        ServicesChanged: parts.summaries.follow_change,
        AccountClosed: parts.cancellation.follow_closed_account,
        ProviderTimezoneSet: parts.summaries.follow_timezone,
        EndPause: parts.summaries.follow_end_of_pause,
        PaymentAuthorised: parts.checkout.follow_payment,
        PaymentCaptured: parts.checkout.follow_payment,
        ReviewWritten: parts.completion.note_review,
        PastReviewsRecorded: parts.completion.note_past_reviews,
        ExpireBooking: parts.expiry.expire_booking,
        ExpireLapsed: parts.expiry.expire_lapsed,
        CompleteBooking: parts.completion.complete_booking,
        ReleasePayment: parts.cancellation.release_payment,
        RefundPayment: parts.cancellation.refund_payment,
    }

"""Builds notifications."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingDeclined,
    BookingExpired,
    BookingRequested,
    Bookings,
)
from fairground.contracts.notifications import Notifications
from fairground.contracts.providers import ProviderApproved, ProviderRejected, Providers, ProviderSubmitted
from fairground.contracts.reviews import ProviderRated, Reviews
from fairground.kernel.messages import Queue
from fairground.modules.notifications import http
from fairground.modules.notifications.handlers import BookingNotifier, EmailSender, ProviderNotifier
from fairground.modules.notifications.renderers import EmailRenderer, NotificationRenderer, build_environment
from fairground.modules.notifications.service import NotificationService, SendEmail
from fairground.modules.notifications.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, accounts, bookings, clock = runtime.db, links.of(Accounts), links.of(Bookings), runtime.clock
    env = build_environment()
    service, renderer = NotificationService(db=db), NotificationRenderer(env)
    links.provide(Notifications, service)
    of_bookings = BookingNotifier(service=service, renderer=renderer, bookings=bookings, accounts=accounts, clock=clock)
    of_providers = ProviderNotifier(
        service=service, renderer=renderer, catalog=links.of(Providers), reviews=links.of(Reviews), accounts=accounts
    )
    emails = EmailSender(
        db=db,
        renderer=EmailRenderer(env, public_url=runtime.public_url),
        mailer=runtime.mailer,
        bookings=bookings,
        accounts=accounts,
        clock=clock,
    )
    return Module(
        name="notifications",
        history=history,
        routers=[http.routes(service)],
        handlers={
            BookingRequested: of_bookings.notify_sides,
            BookingConfirmed: of_bookings.notify_sides,
            BookingDeclined: of_bookings.notify_sides,
            BookingCancelled: of_bookings.notify_sides,
            BookingExpired: of_bookings.notify_sides,
            BookingCompleted: of_bookings.notify_sides,
            ProviderSubmitted: of_providers.notify_staff,
            ProviderApproved: of_providers.notify_of_approval,
            ProviderRejected: of_providers.notify_of_rejection,
            ProviderRated: of_providers.notify_of_review,
            SendEmail: emails.send,
        },
        # Its events too: an email waits for the event that it follows from.
        queue=Queue.MAIL,
    )

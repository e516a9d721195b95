"""Builds notifications, with the environment that their templates are rendered in."""

from collections.abc import Mapping
from gettext import NullTranslations
from pathlib import Path
from typing import Final

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

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
from fairground.contracts.messaging import ConversationRead, Messages, MessageSent
from fairground.contracts.notifications import Notifications, StaffMails
from fairground.contracts.payments import PaymentReleased
from fairground.contracts.providers import ProviderApproved, ProviderRejected, Providers, ProviderSubmitted
from fairground.contracts.providers.claims import (
    Claims,
    ProviderClaimed,
    ProviderClaimRefused,
    ProviderClaimRequested,
)
from fairground.contracts.providers.staff import ProviderRestored, ProviderSuspended
from fairground.contracts.reviews import ProviderRated, ReviewHidden, ReviewRestored, Reviews
from fairground.kernel.messages import Message, Queue
from fairground.modules.notifications import http
from fairground.modules.notifications.emails import EmailRenderer, EmailSender, MailService, SendEmail
from fairground.modules.notifications.message_notifier import MessageNotifier, SendMessageEmail
from fairground.modules.notifications.service import (
    BookingNotifier,
    ClaimNotifier,
    NotificationRenderer,
    NotificationService,
    ProviderNotifier,
    RefundNotifier,
    ReviewNotifier,
)
from fairground.modules.notifications.tables import history
from fairground.platform.locale_formatter import DEFAULT_LOCALE, LocaleFormatter
from fairground.platform.module import Handler, Links, Module
from fairground.runtime import Runtime

TEMPLATES_FOLDER: Final = Path(__file__).parent / "templates"
_BOOKING_EVENTS: Final = (
    BookingRequested,
    BookingConfirmed,
    BookingDeclined,
    BookingCancelled,
    BookingExpired,
    BookingCompleted,
)


def build(runtime: Runtime, links: Links) -> Module:
    env = build_environment()
    service = NotificationService(db=runtime.db)
    mails = MailService(db=runtime.db, accounts=links.of(Accounts))
    links.provide(Notifications, service)
    links.provide(StaffMails, mails)
    return Module(
        name="notifications",
        history=history,
        routers=[http.routes(service), http.staff_routes(mails)],
        handlers=_build_handlers(runtime, links, env, service=service),
        # Its events too: an email waits for the event that it follows from.
        queue=Queue.MAIL,
    )


def _build_handlers(
    runtime: Runtime, links: Links, env: Environment, *, service: NotificationService
) -> Mapping[type[Message], Handler]:
    accounts, bookings, renderer = links.of(Accounts), links.of(Bookings), NotificationRenderer(env)
    emails = EmailSender(
        db=runtime.db,
        renderer=EmailRenderer(env, public_url=runtime.public_url),
        mailer=runtime.mailer,
        bookings=bookings,
        accounts=accounts,
        clock=runtime.clock,
    )
    of_bookings = BookingNotifier(
        service=service, renderer=renderer, bookings=bookings, accounts=accounts, clock=runtime.clock
    )
    of_refunds = RefundNotifier(service=service, renderer=renderer, bookings=bookings)
    of_claims = ClaimNotifier(service=service, renderer=renderer, claims=links.of(Claims), accounts=accounts)
    messages = links.of(Messages)
    of_messages = MessageNotifier(
        db=runtime.db, renderer=renderer, emails=emails, messages=messages, bookings=bookings, accounts=accounts
    )
    return {
        **dict.fromkeys(_BOOKING_EVENTS, of_bookings.notify_sides),
        PaymentReleased: of_refunds.notify_customer,
        **_provider_handlers(links, service=service, renderer=renderer),
        ProviderClaimRequested: of_claims.notify_staff,
        ProviderClaimed: of_claims.notify_owner,
        ProviderClaimRefused: of_claims.notify_of_refusal,
        MessageSent: of_messages.notify_recipient,
        ConversationRead: of_messages.mark_read,
        SendEmail: emails.send,
        SendMessageEmail: of_messages.send_unless_read,
    }


def _provider_handlers(
    links: Links, *, service: NotificationService, renderer: NotificationRenderer
) -> Mapping[type[Message], Handler]:
    providers, reviews = links.of(Providers), links.of(Reviews)
    of_providers = ProviderNotifier(
        service=service, renderer=renderer, providers=providers, reviews=reviews, accounts=links.of(Accounts)
    )
    of_reviews = ReviewNotifier(service=service, renderer=renderer, providers=providers, reviews=reviews)
    return {
        ProviderSubmitted: of_providers.notify_staff,
        ProviderApproved: of_providers.notify_of_approval,
        ProviderRejected: of_providers.notify_of_rejection,
        ProviderSuspended: of_providers.notify_of_suspension,
        ProviderRestored: of_providers.notify_of_suspension,
        ProviderRated: of_providers.notify_of_review,
        ReviewHidden: of_reviews.notify_author,
        ReviewRestored: of_reviews.notify_author,
    }


def build_environment(*, locale: str = DEFAULT_LOCALE) -> Environment:
    """Return the environment of all templates: strict, translated, and escaped where they are HTML."""
    env = Environment(
        loader=FileSystemLoader(TEMPLATES_FOLDER),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    # Until catalogues exist every text is its own translation, and plural forms follow English.
    env.install_gettext_translations(NullTranslations(), newstyle=True)  # type: ignore[attr-defined]
    formatter = LocaleFormatter(Locale.parse(locale))
    env.filters |= {
        "money": formatter.money,
        "rating": formatter.rating,
        "when": formatter.when,
        "between": formatter.between,
    }
    env.globals["language"] = locale.replace("_", "-")
    return env

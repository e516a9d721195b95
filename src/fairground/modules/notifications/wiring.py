"""Puts the notifications module together."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog
from fairground.contracts.notifications import Notifications
from fairground.contracts.reviews import Reviews
from fairground.kernel.clock import SystemClock
from fairground.modules.notifications import http
from fairground.modules.notifications.handlers.bookings import BookingNews
from fairground.modules.notifications.handlers.mailing import Postman
from fairground.modules.notifications.handlers.providers import ProviderNews
from fairground.modules.notifications.letters import LetterWriter
from fairground.modules.notifications.notices import NoticeWriter
from fairground.modules.notifications.rendering import build_environment
from fairground.modules.notifications.service import NotificationService
from fairground.modules.notifications.tables import history
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.platform.mail.mailer import Mailer
from fairground.platform.module import Module


def build(db: Database, links: Links, *, mailer: Mailer, public_url: str) -> Module:
    """Build the module; `public_url` has no slash at its end."""
    accounts, bookings, clock, env = links.of(Accounts), links.of(Bookings), SystemClock(), build_environment()
    service, writer = NotificationService(db=db), NoticeWriter(env)
    links.provide(Notifications, service)
    booking_news = BookingNews(service=service, writer=writer, bookings=bookings, accounts=accounts, clock=clock)
    provider_news = ProviderNews(
        service=service, writer=writer, catalog=links.of(Catalog), reviews=links.of(Reviews), accounts=accounts
    )
    postman = Postman(
        service=service,
        writer=LetterWriter(env, public_url=public_url),
        mailer=mailer,
        bookings=bookings,
        accounts=accounts,
        clock=clock,
    )
    return Module(
        name="notifications",
        history=history,
        routers=[http.routes(service)],
        handlers={**booking_news.table(), **provider_news.table(), **postman.table()},
    )

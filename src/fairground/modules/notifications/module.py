"""Builds notifications."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog
from fairground.contracts.notifications import Notifications
from fairground.contracts.reviews import Reviews
from fairground.modules.notifications import http
from fairground.modules.notifications.handlers.bookings import BookingNews
from fairground.modules.notifications.handlers.mailing import Postman
from fairground.modules.notifications.handlers.providers import ProviderNews
from fairground.modules.notifications.letters import LetterWriter
from fairground.modules.notifications.notices import NoticeWriter
from fairground.modules.notifications.rendering import build_environment
from fairground.modules.notifications.service import NotificationService
from fairground.modules.notifications.tables import history
from fairground.platform.links import Links
from fairground.platform.module import Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    accounts, bookings, clock, env = links.of(Accounts), links.of(Bookings), runtime.clock, build_environment()
    service, writer = NotificationService(db=runtime.db), NoticeWriter(env)
    links.provide(Notifications, service)
    booking_news = BookingNews(service=service, writer=writer, bookings=bookings, accounts=accounts, clock=clock)
    provider_news = ProviderNews(
        service=service, writer=writer, catalog=links.of(Catalog), reviews=links.of(Reviews), accounts=accounts
    )
    postman = Postman(
        service=service,
        writer=LetterWriter(env, public_url=runtime.public_url),
        mailer=runtime.mailer,
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

"""Builds reviews."""

from fairground.contracts.accounts import AccountClosed, Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.modules.reviews import http
from fairground.modules.reviews.service import ReviewService
from fairground.modules.reviews.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    service = ReviewService(db=runtime.db, accounts=links.of(Accounts), bookings=links.of(Bookings))
    links.provide(Reviews, service)
    return Module(
        name="reviews",
        history=history,
        routers=[http.routes(service, links.of(Providers))],
        handlers={AccountClosed: service.on_account_closed},
    )

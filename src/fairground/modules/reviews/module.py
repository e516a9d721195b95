"""Builds reviews."""

from fairground.contracts.accounts import AccountClosed, Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews, StaffReviews
from fairground.modules.reviews import http
from fairground.modules.reviews.moderation import ReviewModeration
from fairground.modules.reviews.service import ReviewService
from fairground.modules.reviews.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    service = ReviewService(db=runtime.db, accounts=links.of(Accounts), bookings=links.of(Bookings))
    links.provide(Reviews, service)
    moderation = ReviewModeration(db=runtime.db, accounts=links.of(Accounts), bookings=links.of(Bookings))
    links.provide(StaffReviews, moderation)
    return Module(
        name="reviews",
        history=history,
        routers=[http.routes(service, links.of(Providers)), http.admin_routes(moderation)],
        handlers={AccountClosed: service.on_account_closed},
    )

"""Put the reviews module together."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog
from fairground.contracts.reviews import Reviews
from fairground.modules.reviews import http
from fairground.modules.reviews.service import ReviewService
from fairground.modules.reviews.tables import history
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.platform.module import Module


def build(db: Database, links: Links) -> Module:
    service = ReviewService(db=db, accounts=links.of(Accounts), bookings=links.of(Bookings))
    links.provide(Reviews, service)
    return Module(name="reviews", history=history, routers=[http.routes(service, links.of(Catalog))])

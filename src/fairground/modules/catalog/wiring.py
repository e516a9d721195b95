"""Builds the catalog."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FreeDaysSet
from fairground.contracts.catalog import Catalog
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.clock import SystemClock
from fairground.modules.catalog import http
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.settings import CatalogSettings
from fairground.modules.catalog.store.search.built_in import BuiltInSearch
from fairground.modules.catalog.tables import history
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.platform.module import Module
from fairground.verticals.loader import Verticals


def build(db: Database, links: Links, verticals: Verticals) -> Module:
    service = CatalogService(
        db=db,
        engine=BuiltInSearch(),
        accounts=links.of(Accounts),
        verticals=verticals,
        clock=SystemClock(),
        settings=CatalogSettings(),
    )
    links.provide(Catalog, service)
    return Module(
        name="catalog",
        history=history,
        routers=http.routes(service, verticals),
        handlers={
            BookingCompleted: service.record_completion,
            ProviderRated: service.record_rating,
            AvailabilityRulesSet: service.record_hours,
            FreeDaysSet: service.record_free_days,
        },
        start=service.count_prices_if_bands_changed,
    )

"""Builds discovery."""

from fairground.contracts.booking import AvailabilitySummarySet
from fairground.contracts.discovery import Discovery
from fairground.contracts.providers import ProvidersChanged, ProviderSnapshots
from fairground.modules.discovery import http
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.question import CategoryWords
from fairground.modules.discovery.service import DiscoveryService
from fairground.modules.discovery.service.lists import Filters, Lists
from fairground.modules.discovery.service.read_model import ReadModel, RebuildReadModel
from fairground.modules.discovery.service.search import Search
from fairground.modules.discovery.store.search import BuiltInSearch
from fairground.modules.discovery.tables import history
from fairground.platform.module import Links, Module, Projection
from fairground.platform.settings import CurrencySettings
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, verticals, engine = runtime.db, runtime.verticals, BuiltInSearch()
    currency = runtime.settings.of(CurrencySettings).currency
    prices = PriceScale(verticals, currency=currency)
    filters = Filters(verticals=verticals, clock=runtime.clock, currency=currency)
    read_model = ReadModel(db=db, providers=links.of(ProviderSnapshots), engine=engine, prices=prices)
    words = CategoryWords(verticals)
    search = Search(db=db, engine=engine, filters=filters, prices=prices, category_words=words)
    service = DiscoveryService(lists=Lists(db=db, filters=filters, prices=prices), search=search, read_model=read_model)
    links.provide(Discovery, service)
    return Module(
        name="discovery",
        history=history,
        routers=[http.routes(service, verticals)],
        handlers={
            ProvidersChanged: read_model.on_providers_changed,
            AvailabilitySummarySet: read_model.on_availability_summary_set,
            RebuildReadModel: read_model.on_rebuild,
        },
        projections={
            ProvidersChanged: Projection(key=lambda event: frozenset(event.versions)),
            AvailabilitySummarySet: Projection(
                key=lambda event: event.provider_id, version=lambda event: event.version
            ),
        },
        demo=lambda _content: read_model.rebuild_all(),
        start=read_model.start,
    )

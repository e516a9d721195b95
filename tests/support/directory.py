"""Providers, imports, lists and search on one database, as tests ask them together."""

from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from fastapi import APIRouter

from fairground.contracts.accounts import Accounts
from fairground.contracts.catalog import ProvidersChanged, ProviderSchedules
from fairground.contracts.imports import ImportedProvider, ImportOutcome
from fairground.contracts.media import Pictures
from fairground.kernel.clock import Clock
from fairground.modules.catalog import http as catalog_http
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.service.base import NoSchedules
from fairground.modules.catalog.service.external_providers import ExternalProviderService
from fairground.modules.catalog.service.following import PictureFollower
from fairground.modules.catalog.service.galleries import GalleryService
from fairground.modules.catalog.service.portraits import PortraitService
from fairground.modules.discovery import http as discovery_http
from fairground.modules.discovery.domain.prices import PriceScale
from fairground.modules.discovery.domain.search.categories import CategoryWords
from fairground.modules.discovery.service.discovery import DiscoveryService
from fairground.modules.discovery.service.filters import Filters
from fairground.modules.discovery.service.lists import Lists
from fairground.modules.discovery.service.read_model import ReadModel
from fairground.modules.discovery.service.search import Search
from fairground.modules.discovery.store.search.built_in import BuiltInSearch
from fairground.modules.discovery.store.search.engine import SearchEngine
from fairground.modules.imports.service.provider_imports import ProviderImports
from fairground.platform.currency import CurrencySettings
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.doubles.media import FakePictures
from tests.support.catalog import People, SteppingClock
from tests.support.outbox import RecordingOutbox

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_Asked = Callable[_Given, Coroutine[Any, Any, _Answer]]


class Directory(CatalogService):
    """The services together. Lists and search follow every change before they answer, as with a worker."""

    def __init__(
        self,
        *,
        db: Database,
        people: People | None = None,
        verticals: Verticals | None = None,
        clock: Clock | None = None,
        engine: SearchEngine | None = None,
        schedules: Callable[[], ProviderSchedules] = NoSchedules,
        album: FakePictures | None = None,
        currency: str = "EUR",
    ) -> None:
        verticals, clock, engine = verticals or load_verticals(), clock or SteppingClock(), engine or BuiltInSearch()
        settings = CurrencySettings(currency=currency)
        accounts = cast("Accounts", people or People())
        shared: dict[str, Any] = {
            "db": db, "accounts": accounts, "verticals": verticals, "clock": clock, "settings": settings
        }  # fmt: skip
        super().__init__(**shared, schedules=schedules)
        with_pictures = {"pictures": cast("Pictures", album or FakePictures()), **shared}
        self.portraits, self.galleries = PortraitService(**with_pictures), GalleryService(**with_pictures)
        self.follower = PictureFollower(**with_pictures)
        self._imports = ProviderImports(db=db, providers=self, external=ExternalProviderService(**shared))
        self.prices = PriceScale(verticals, currency=currency)
        filters = Filters(verticals=verticals, clock=clock, currency=currency)
        self.read_model = ReadModel(db=db, providers=self, engine=engine, prices=self.prices)
        search = Search(
            db=db, engine=engine, filters=filters, prices=self.prices, category_words=CategoryWords(verticals)
        )
        self.discovery = DiscoveryService(
            lists=Lists(db=db, filters=filters, prices=self.prices), search=search, read_model=self.read_model
        )
        self.search_providers = self._after_changes(self.discovery.search_providers)
        self.search_lean = self._after_changes(self.discovery.search_lean)
        self.get_price_distribution = self._after_changes(self.discovery.get_price_distribution)
        self.find_places = self._after_changes(self.discovery.find_places)
        self.search = self._after_changes(self.discovery.search)
        self.rebuild = self.discovery.rebuild
        self.record_free_days = self._after_changes(self.read_model.on_free_days_set)

    def routers(self) -> list[APIRouter]:
        profiles = catalog_http.routes(self, self._verticals, self.portraits, self.galleries)
        return [*profiles, *discovery_http.routes(self, self._verticals)]

    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        return await self._imports.import_providers(vertical=vertical, source=source, providers=providers)

    async def follow_changes(self) -> None:
        """Deliver to the read model what has been announced; the events stay for what the test asserts of them."""
        outbox = self._db._outbox
        assert isinstance(outbox, RecordingOutbox)
        events, outbox.followed = outbox.events[outbox.followed :], len(outbox.events)
        for event in events:
            if isinstance(event, ProvidersChanged):
                await self.read_model.on_providers_changed(event)

    def _after_changes(self, answer: _Asked[_Given, _Answer]) -> _Asked[_Given, _Answer]:
        async def follow_and_answer(*args: _Given.args, **kwargs: _Given.kwargs) -> _Answer:
            await self.follow_changes()
            return await answer(*args, **kwargs)

        return follow_and_answer

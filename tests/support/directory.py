"""Providers, imports, lists and search on one database, for tests that use them together."""

from collections.abc import Callable, Coroutine
from email.message import EmailMessage
from typing import Any, ParamSpec, TypeVar, cast

from fastapi import APIRouter

from fairground.contracts.accounts import Accounts, OwnAccounts
from fairground.contracts.media import Pictures
from fairground.contracts.providers import ProvidersChanged, ProviderSchedules
from fairground.kernel.zones import Clock
from fairground.modules.discovery import http as discovery_http
from fairground.modules.discovery.domain.price_bands import PriceScale
from fairground.modules.discovery.domain.search.question import CategoryWords
from fairground.modules.discovery.service import DiscoveryService
from fairground.modules.discovery.service.lists import Filters, Lists
from fairground.modules.discovery.service.read_model import ReadModel
from fairground.modules.discovery.service.search import Search
from fairground.modules.discovery.store.search import BuiltInSearch, SearchEngine
from fairground.modules.imports.service.provider_imports import ProviderImports
from fairground.modules.providers import http as catalog_http
from fairground.modules.providers.http.moderation import moderation_routes
from fairground.modules.providers.service import ClaimService, ProviderService
from fairground.modules.providers.service.access import OwnViews
from fairground.modules.providers.service.approval import Approval
from fairground.modules.providers.service.bulk_creation import BulkCreation
from fairground.modules.providers.service.claims import ClaimRequests, Ownership
from fairground.modules.providers.service.event_handlers import FigureEventHandlers, PictureEventHandlers
from fairground.modules.providers.service.external_providers import ExternalProviderService
from fairground.modules.providers.service.invitations import Invitations
from fairground.modules.providers.service.moderation import Moderation
from fairground.modules.providers.service.offers import ServiceOffers
from fairground.modules.providers.service.pictures import GalleryService, PortraitService
from fairground.modules.providers.service.profiles import NoSchedules, Profiles, ProviderQueries
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.doubles.media import FakePictures
from tests.support.outbox import RecordingOutbox
from tests.support.providers import People, SteppingClock

_Given = ParamSpec("_Given")
_Answer = TypeVar("_Answer")
_Asked = Callable[_Given, Coroutine[Any, Any, _Answer]]


class SentMails:
    """A mailer that keeps what it is given."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def send(self, message: EmailMessage) -> None:
        self.messages.append(message)


class Directory(ProviderService):
    """The services together. Lists and search follow every change before a call, as with a worker."""

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
        self._db = db
        self._verticals = verticals or load_verticals()
        self._clock = clock or SteppingClock()
        self._currency = currency
        pictures = cast("Pictures", album or FakePictures())
        self._build_providers(cast("Accounts", people or People()), schedules)
        self._build_claims(cast("Accounts", people or People()), pictures)
        self._build_pictures(pictures)
        self._build_discovery(engine or BuiltInSearch())

    def _build_providers(self, accounts: Accounts, schedules: Callable[[], ProviderSchedules]) -> None:
        db, verticals, clock, currency = self._db, self._verticals, self._clock, self._currency
        self._views = OwnViews(accounts=accounts, verticals=verticals)
        self.moderation = Moderation(db=db, accounts=accounts, views=self._views, clock=clock)
        self.queries = ProviderQueries(db=db, currency=currency)
        super().__init__(
            queries=self.queries,
            profiles=Profiles(
                db=db, accounts=accounts, verticals=verticals, clock=clock, views=self._views, schedules=schedules
            ),
            approval=Approval(db=db, accounts=accounts, verticals=verticals, views=self._views),
            offers=ServiceOffers(db=db, verticals=verticals, clock=clock, currency=currency),
            bulk=BulkCreation(db=db, accounts=accounts, verticals=verticals, clock=clock, currency=currency),
        )
        figures = FigureEventHandlers(db=db)
        self.record_completion = figures.on_booking_completed
        self.record_rating = figures.on_provider_rated
        self.record_hours = figures.on_availability_rules_set
        self.record_past_bookings = figures.on_bookings_recorded
        self.record_past_reviews = figures.on_reviews_recorded
        self.record_first_hours = figures.on_first_hours_set
        external = ExternalProviderService(db=db, verticals=verticals, clock=clock, currency=currency)
        self.import_providers = ProviderImports(db=db, providers=self, external=external).import_providers

    def _build_claims(self, accounts: Accounts, pictures: Pictures) -> None:
        db, self.mails = self._db, SentMails()
        self.ownership = Ownership(
            accounts=accounts, own_accounts=cast("OwnAccounts", accounts), pictures=pictures, clock=self._clock
        )
        requests = ClaimRequests(db=db, accounts=accounts, limiter=RateLimiter(db), ownership=self.ownership)
        self.invitations = Invitations(
            db=db, mailer=self.mails, ownership=self.ownership, public_url="http://fair.test"
        )
        self.claims = ClaimService(requests=requests, invitations=self.invitations)

    def _build_pictures(self, pictures: Pictures) -> None:
        db, clock = self._db, self._clock
        self.portraits = PortraitService(db=db, pictures=pictures, clock=clock, views=self._views)
        self.galleries = GalleryService(db=db, pictures=pictures, clock=clock)
        self.follower = PictureEventHandlers(db=db, pictures=pictures, clock=clock)

    def _build_discovery(self, engine: SearchEngine) -> None:
        db, verticals = self._db, self._verticals
        self.prices = PriceScale(verticals, currency=self._currency)
        filters = Filters(verticals=verticals, clock=self._clock, currency=self._currency)
        self.read_model = ReadModel(db=db, providers=self.queries, engine=engine, prices=self.prices)
        words = CategoryWords(verticals)
        search = Search(db=db, engine=engine, filters=filters, prices=self.prices, category_words=words)
        self.discovery = DiscoveryService(
            lists=Lists(db=db, filters=filters, prices=self.prices), search=search, read_model=self.read_model
        )
        self.search_providers = self._after_changes(self.discovery.search_providers)
        self.search_lean = self._after_changes(self.discovery.search_lean)
        self.get_price_distribution = self._after_changes(self.discovery.get_price_distribution)
        self.find_places = self._after_changes(self.discovery.find_places)
        self.search = self._after_changes(self.discovery.search)
        self.count_listed = self._after_changes(self.discovery.count_listed)
        self.list_listed = self._after_changes(self.discovery.list_listed)
        self.rebuild = self.discovery.rebuild
        self.record_free_days = self._after_changes(self.read_model.on_availability_summary_set)

    def routers(self) -> list[APIRouter]:
        profiles = catalog_http.routes(self, self._verticals, self.portraits, self.galleries, self.claims)
        return [*profiles, moderation_routes(self.moderation), discovery_http.routes(self, self._verticals)]

    async def follow_changes(self) -> None:
        """Deliver the emitted events to the read model; they stay for the assertions of the test."""
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

"""Builds providers."""

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted
from fairground.contracts.catalog import (
    Catalog,
    ExternalProviders,
    Galleries,
    Portraits,
    ProviderSchedules,
    ProviderSnapshots,
)
from fairground.contracts.media import (
    Images,
    PictureDeleted,
    PictureDescribed,
    PictureReady,
    PictureRefused,
    Pictures,
)
from fairground.contracts.reviews import ProviderRated
from fairground.modules.catalog import http
from fairground.modules.catalog.http import images
from fairground.modules.catalog.service.approval import Approval
from fairground.modules.catalog.service.external_providers import ExternalProviderService
from fairground.modules.catalog.service.figures import ProviderFigures
from fairground.modules.catalog.service.following import PictureFollower
from fairground.modules.catalog.service.galleries import GalleryService
from fairground.modules.catalog.service.own_views import OwnViews
from fairground.modules.catalog.service.pictures import FollowPicture
from fairground.modules.catalog.service.portraits import PortraitService
from fairground.modules.catalog.service.profiles import Profiles
from fairground.modules.catalog.service.provider_service import ProviderService
from fairground.modules.catalog.service.queries import ProviderQueries
from fairground.modules.catalog.service.service_offers import ServiceOffers
from fairground.modules.catalog.tables import history
from fairground.platform.currency import CurrencySettings
from fairground.platform.images.image_proxy import ImageRequestStats
from fairground.platform.links import Links
from fairground.platform.module import Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, verticals, clock = runtime.db, runtime.verticals, runtime.clock
    currency = runtime.settings.of(CurrencySettings).currency
    accounts, pictures = links.of(Accounts), links.of(Pictures)
    views = OwnViews(accounts=accounts, verticals=verticals)
    queries = ProviderQueries(db=db, currency=currency)
    service = ProviderService(
        queries=queries,
        # Booking is built after providers, so its schedules are looked up at each call.
        profiles=Profiles(
            db=db,
            accounts=accounts,
            verticals=verticals,
            clock=clock,
            views=views,
            schedules=lambda: links.of(ProviderSchedules),
        ),
        approval=Approval(db=db, accounts=accounts, verticals=verticals, views=views),
        offers=ServiceOffers(db=db, verticals=verticals, clock=clock, currency=currency),
    )
    galleries = GalleryService(db=db, pictures=pictures, clock=clock)
    portraits = PortraitService(db=db, pictures=pictures, clock=clock, views=views)
    follower = PictureFollower(db=db, pictures=pictures, clock=clock)
    figures, image_requests = ProviderFigures(db=db), ImageRequestStats()
    links.provide(Catalog, service)
    links.provide(ProviderSnapshots, queries)
    links.provide(
        ExternalProviders, ExternalProviderService(db=db, verticals=verticals, clock=clock, currency=currency)
    )
    links.provide(Galleries, galleries)
    links.provide(Portraits, portraits)
    return Module(
        name="catalog",
        history=history,
        routers=[
            *http.routes(service, verticals, portraits, galleries),
            images.routes(links.of(Images), portraits=portraits, galleries=galleries, stats=image_requests),
        ],
        handlers={
            BookingCompleted: figures.record_completion,
            ProviderRated: figures.record_rating,
            AvailabilityRulesSet: figures.record_hours,
            PictureReady: follower.on_ready,
            PictureDescribed: follower.on_described,
            PictureRefused: follower.on_refused,
            PictureDeleted: follower.on_deleted,
            FollowPicture: follower.on_follow_picture,
        },
        measure=image_requests.measure,
    )

"""Builds the catalog."""

from typing import Any

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRulesSet, AvailabilitySummarySet, BookingCompleted
from fairground.contracts.catalog import Catalog, ExternalProviders, Galleries, Portraits, ProviderSchedules
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
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.service.external_providers import ExternalProviderService
from fairground.modules.catalog.service.following import PictureFollower
from fairground.modules.catalog.service.galleries import GalleryService
from fairground.modules.catalog.service.pictures import FollowPicture
from fairground.modules.catalog.service.portraits import PortraitService
from fairground.modules.catalog.settings import CatalogSettings
from fairground.modules.catalog.store.search.built_in import BuiltInSearch
from fairground.modules.catalog.tables import history
from fairground.platform.images.image_proxy import ImageRequestStats
from fairground.platform.links import Links
from fairground.platform.module import Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    verticals = runtime.verticals
    shared: dict[str, Any] = {
        "db": runtime.db,
        "engine": BuiltInSearch(),
        "accounts": links.of(Accounts),
        "verticals": verticals,
        "clock": runtime.clock,
        "settings": runtime.settings.of(CatalogSettings),
    }
    with_pictures = {"pictures": links.of(Pictures), **shared}
    # Booking is built after the catalog, so its schedules are looked up at each call.
    service = CatalogService(**shared, schedules=lambda: links.of(ProviderSchedules))
    galleries, image_requests = GalleryService(**with_pictures), ImageRequestStats()
    portraits, follower = PortraitService(**with_pictures), PictureFollower(**with_pictures)
    links.provide(Catalog, service)
    links.provide(Galleries, galleries)
    links.provide(ExternalProviders, ExternalProviderService(**shared))
    links.provide(Portraits, portraits)
    return Module(
        name="catalog",
        history=history,
        routers=[
            *http.routes(service, verticals, portraits, galleries),
            images.routes(links.of(Images), portraits=portraits, galleries=galleries, stats=image_requests),
        ],
        handlers={
            BookingCompleted: service.record_completion,
            ProviderRated: service.record_rating,
            AvailabilityRulesSet: service.record_hours,
            AvailabilitySummarySet: service.record_free_days,
            PictureReady: follower.on_ready,
            PictureDescribed: follower.on_described,
            PictureRefused: follower.on_refused,
            PictureDeleted: follower.on_deleted,
            FollowPicture: follower.on_follow_picture,
        },
        measure=image_requests.measure,
        start=service.count_prices_if_bands_changed,
    )

"""Builds providers."""

from collections.abc import Mapping
from typing import Final

from fairground.contracts.accounts import (
    AccountClosed,
    AccountRestored,
    Accounts,
    AccountSuspended,
    EmailChanged,
    OwnAccounts,
)
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FirstHoursSet, PastBookingsRecorded
from fairground.contracts.media import (
    Images,
    PictureDeleted,
    PictureDescribed,
    PictureReady,
    PictureRefused,
    Pictures,
)
from fairground.contracts.providers import (
    ExternalProviders,
    Galleries,
    Portraits,
    Providers,
    ProviderSchedules,
    ProviderSnapshots,
)
from fairground.contracts.providers.claims import Claims
from fairground.contracts.providers.staff import StaffProviders
from fairground.contracts.reviews import PastReviewsRecorded, ProviderRated
from fairground.kernel.messages import Message
from fairground.modules.providers import http
from fairground.modules.providers.http.moderation import moderation_routes
from fairground.modules.providers.http.pictures import image_routes
from fairground.modules.providers.service import ClaimService, ProviderService
from fairground.modules.providers.service.access import OwnViews
from fairground.modules.providers.service.approval import Approval
from fairground.modules.providers.service.bulk_creation import BulkCreation
from fairground.modules.providers.service.claims import ClaimRequests, HandOverPictures, Ownership
from fairground.modules.providers.service.event_handlers import (
    FigureEventHandlers,
    OwnerEventHandlers,
    PictureEventHandlers,
)
from fairground.modules.providers.service.external_providers import ExternalProviderService
from fairground.modules.providers.service.invitations import Invitations, MailInvitation
from fairground.modules.providers.service.moderation import Moderation
from fairground.modules.providers.service.offers import ServiceOffers
from fairground.modules.providers.service.pictures import FollowPicture, GalleryService, PortraitService
from fairground.modules.providers.service.profiles import Profiles, ProviderQueries
from fairground.modules.providers.tables import history
from fairground.platform.db.database import Database
from fairground.platform.images.image_proxy import ImageRequestStats
from fairground.platform.module import Handler, Links, Module, Projection
from fairground.platform.settings import CurrencySettings
from fairground.runtime import Runtime

# Figures of a provider: each event carries the newest total, and a version of it.
_PROJECTIONS: Final[Mapping[type[Message], Projection]] = {
    BookingCompleted: Projection(
        key=lambda event: event.provider_id, version=lambda event: event.provider_completed_count
    ),
    ProviderRated: Projection(key=lambda event: event.provider_id, version=lambda event: event.totals_version),
    AvailabilityRulesSet: Projection(key=lambda event: event.provider_id, version=lambda event: event.version),
}


def build(runtime: Runtime, links: Links) -> Module:
    db, verticals, clock, pictures = runtime.db, runtime.verticals, runtime.clock, links.of(Pictures)
    currency = runtime.settings.of(CurrencySettings).currency
    views = OwnViews(accounts=links.of(Accounts), verticals=verticals)
    queries = ProviderQueries(db=db, currency=currency)
    service = _build_service(runtime, links, queries=queries, views=views, currency=currency)
    external = ExternalProviderService(db=db, verticals=verticals, clock=clock, currency=currency)
    galleries = GalleryService(db=db, pictures=pictures, clock=clock)
    portraits = PortraitService(db=db, pictures=pictures, clock=clock, views=views)
    owners, image_requests = OwnerEventHandlers(db=db, accounts=links.of(Accounts)), ImageRequestStats()
    links.provide(Providers, service)
    links.provide(ProviderSnapshots, queries)
    links.provide(ExternalProviders, external)
    links.provide(Galleries, galleries)
    links.provide(Portraits, portraits)
    moderation = Moderation(db=db, accounts=links.of(Accounts), views=views, clock=clock)
    links.provide(StaffProviders, moderation)
    of_claims = _build_claims(runtime, links)
    return Module(
        name="providers",
        history=history,
        routers=[
            *http.routes(service, verticals, portraits, galleries, links.of(Claims)),
            moderation_routes(moderation),
            image_routes(links.of(Images), portraits=portraits, galleries=galleries, stats=image_requests),
        ],
        handlers={
            **_figure_handlers(db),
            AccountSuspended: owners.on_suspended,
            AccountRestored: owners.on_restored,
            AccountClosed: owners.on_closed,
            EmailChanged: owners.on_email_changed,
            **_picture_handlers(PictureEventHandlers(db=db, pictures=pictures, clock=clock)),
            **of_claims,
        },
        projections=_PROJECTIONS,
        measure=image_requests.measure,
    )


def _picture_handlers(picture_events: PictureEventHandlers) -> dict[type[Message], Handler]:
    return {
        PictureReady: picture_events.on_ready,
        PictureDescribed: picture_events.on_described,
        PictureRefused: picture_events.on_refused,
        PictureDeleted: picture_events.on_deleted,
        FollowPicture: picture_events.on_follow_picture,
    }


def _figure_handlers(db: Database) -> dict[type[Message], Handler]:
    figures = FigureEventHandlers(db=db)
    return {
        BookingCompleted: figures.on_booking_completed,
        PastBookingsRecorded: figures.on_bookings_recorded,
        ProviderRated: figures.on_provider_rated,
        PastReviewsRecorded: figures.on_reviews_recorded,
        AvailabilityRulesSet: figures.on_availability_rules_set,
        FirstHoursSet: figures.on_first_hours_set,
    }


def _build_claims(runtime: Runtime, links: Links) -> dict[type[Message], Handler]:
    """Provide the contract of claims, and return the handlers of its jobs."""
    db, accounts = runtime.db, links.of(Accounts)
    ownership = Ownership(
        accounts=accounts, own_accounts=links.of(OwnAccounts), pictures=links.of(Pictures), clock=runtime.clock
    )
    requests = ClaimRequests(db=db, accounts=accounts, limiter=runtime.limiter, ownership=ownership)
    invitations = Invitations(db=db, mailer=runtime.mailer, ownership=ownership, public_url=runtime.public_url)
    links.provide(Claims, ClaimService(requests=requests, invitations=invitations))
    return {
        MailInvitation: invitations.on_mail_invitation,
        HandOverPictures: ownership.on_hand_over_pictures,
    }


def _build_service(
    runtime: Runtime, links: Links, *, queries: ProviderQueries, views: OwnViews, currency: str
) -> ProviderService:
    db, verticals, clock, accounts = runtime.db, runtime.verticals, runtime.clock, links.of(Accounts)
    profiles = Profiles(
        db=db,
        accounts=accounts,
        verticals=verticals,
        clock=clock,
        views=views,
        # Booking is built after providers, so its schedules are looked up at each call.
        schedules=lambda: links.of(ProviderSchedules),
    )
    return ProviderService(
        queries=queries,
        profiles=profiles,
        approval=Approval(db=db, accounts=accounts, verticals=verticals, views=views),
        offers=ServiceOffers(db=db, verticals=verticals, clock=clock, currency=currency),
        bulk=BulkCreation(db=db, accounts=accounts, verticals=verticals, clock=clock, currency=currency),
    )

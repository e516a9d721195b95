"""How the pages are put together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import APIRouter

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.catalog import Catalog, Galleries, Portraits, ProviderSchedules
from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import Pictures
from fairground.contracts.reviews import Reviews
from fairground.kernel.clock import Clock, SystemClock
from fairground.platform.http.cookies import SessionCookie
from fairground.platform.http.shield import is_loopback
from fairground.platform.links import Links
from fairground.verticals.loader import Verticals
from fairground.web.assets import Assets
from fairground.web.maps import MapTiles
from fairground.web.origins import Origins, origin_of
from fairground.web.pages import (
    api_docs,
    approvals,
    booking,
    desk,
    desk_hours,
    desk_pictures,
    desk_profile,
    desk_services,
    gallery,
    home,
    listing,
    mail,
    mailed_links,
    me,
    migrations,
    not_found,
    one_booking,
    paying,
    pictures,
    provider,
    provider_pictures,
    security,
    sign_in,
    static,
)
from fairground.web.rendering import Renderer
from fairground.web.uploads import PictureForms


@dataclass(frozen=True)
class _Parts:
    """What pages are made of."""

    renderer: Renderer
    cookie: SessionCookie
    verticals: Verticals
    has_test_money: bool
    accounts: Accounts
    catalog: Catalog
    galleries: Galleries
    bookings: Bookings
    reviews: Reviews
    clock: Clock = field(default_factory=SystemClock)


def build(
    links: Links,
    *,
    verticals: Verticals,
    cookie: SessionCookie,
    public_url: str,
    pictures_dir: Path,
    mail_dir: Path | None,
    has_test_money: bool,
    picture_forms: PictureForms,
    map_tiles: MapTiles | None,
    cdn_url: str,
    upload_origin: str | None,
) -> Sequence[APIRouter]:
    """Return the routers of all pages, in the order in which they are asked; the last one answers what is left.

    Args:
        mail_dir: The folder whose mails anybody may read on a page; None where they are sent, or nobody's business.
        map_tiles: What lies below the pins of a map; None draws the pins alone.
        has_test_money: Payments are the sandbox's, so that the page of a payment offers its test cards.
        cdn_url: Where a CDN gives pictures; empty without one.
        upload_origin: Where uploads go, if not to this server.
    """
    assets = Assets()
    bank = public_url.rstrip("/") if has_test_money else "https://*.stripe.com"
    origins = _origins(bank=bank, map_tiles=map_tiles, cdn_url=cdn_url, upload_origin=upload_origin)
    renderer = Renderer(assets=assets, verticals=verticals, origins=origins, map_tiles=map_tiles)
    parts = _Parts(
        renderer=renderer,
        cookie=cookie,
        verticals=verticals,
        has_test_money=has_test_money,
        accounts=links.of(Accounts),
        catalog=links.of(Catalog),
        galleries=links.of(Galleries),
        bookings=links.of(Bookings),
        reviews=links.of(Reviews),
    )
    return [
        static.routes(assets),
        pictures.routes(pictures_dir),
        *_for_developers(parts, is_on_loopback=is_loopback(public_url)),
        *_finding(parts),
        *_booking(parts),
        *_signing_in(parts),
        *_working(parts, links, picture_forms),
        *([mail.routes(renderer, mail_dir)] if mail_dir is not None else []),
        not_found.routes(renderer),
    ]


def _origins(*, bank: str, map_tiles: MapTiles | None, cdn_url: str, upload_origin: str | None) -> Origins:
    """Say whom pages have to do with.

    Args:
        bank: Where a bank asks its customer to confirm: the sandbox's lies below the public address, which a reader on
            "localhost" is not on.
    """
    pictures_from = (map_tiles.url if map_tiles else "", cdn_url)
    uploads = (upload_origin,) if upload_origin else ()
    return Origins(
        forms=(bank, *uploads), images=tuple(origin_of(url) for url in pictures_from if url), scripts_ask=uploads
    )


def _for_developers(parts: _Parts, *, is_on_loopback: bool) -> list[APIRouter]:
    """Return the description of the API, and on the developer's own machine the page of all components."""
    components = [gallery.routes(parts.renderer)] if is_on_loopback else []
    return [*components, api_docs.routes(parts.renderer)]


def _finding(parts: _Parts) -> list[APIRouter]:
    provider_pages = provider.ProviderPages(
        renderer=parts.renderer,
        catalog=parts.catalog,
        galleries=parts.galleries,
        bookings=parts.bookings,
        reviews=parts.reviews,
        verticals=parts.verticals,
        clock=parts.clock,
    )
    return [
        home.routes(parts.renderer, catalog=parts.catalog, verticals=parts.verticals),
        listing.routes(parts.renderer, catalog=parts.catalog, verticals=parts.verticals),
        provider.routes(provider_pages),
        provider_pictures.routes(parts.renderer, catalog=parts.catalog, galleries=parts.galleries),
    ]


def _booking(parts: _Parts) -> list[APIRouter]:
    booking_pages = booking.BookingPages(
        renderer=parts.renderer,
        catalog=parts.catalog,
        bookings=parts.bookings,
        verticals=parts.verticals,
        clock=parts.clock,
    )
    one_booking_pages = one_booking.OneBookingPages(
        renderer=parts.renderer,
        accounts=parts.accounts,
        catalog=parts.catalog,
        bookings=parts.bookings,
        reviews=parts.reviews,
    )
    paying_pages = paying.PayingPages(
        renderer=parts.renderer,
        catalog=parts.catalog,
        bookings=parts.bookings,
        has_test_money=parts.has_test_money,
    )
    return [
        paying.routes(paying_pages),
        booking.routes(booking_pages),
        me.routes(parts.renderer, bookings=parts.bookings),
        one_booking.routes(one_booking_pages),
    ]


def _signing_in(parts: _Parts) -> list[APIRouter]:
    renderer, accounts, cookie = parts.renderer, parts.accounts, parts.cookie
    return [
        security.routes(security.SecurityPages(renderer=renderer, accounts=accounts, cookie=cookie)),
        sign_in.routes(sign_in.SignInPages(renderer=renderer, accounts=accounts, cookie=cookie)),
        mailed_links.routes(mailed_links.MailedLinkPages(renderer=renderer, accounts=accounts)),
    ]


def _working(parts: _Parts, links: Links, picture_forms: PictureForms) -> list[APIRouter]:
    at_desk = desk.Desk(
        renderer=parts.renderer,
        accounts=parts.accounts,
        catalog=parts.catalog,
        bookings=parts.bookings,
        verticals=parts.verticals,
        clock=parts.clock,
    )
    with_pictures = desk_pictures.PictureDesk(
        desk=at_desk,
        pictures=links.of(Pictures),
        portraits=links.of(Portraits),
        galleries=parts.galleries,
        forms=picture_forms,
    )
    return [
        desk.routes(at_desk),
        desk_profile.routes(at_desk, galleries=parts.galleries, schedules=links.of(ProviderSchedules)),
        desk_services.routes(at_desk),
        desk_hours.routes(at_desk),
        desk_pictures.routes(with_pictures),
        approvals.routes(parts.renderer, catalog=parts.catalog, verticals=parts.verticals),
        migrations.routes(parts.renderer, embedded=links.of(EmbeddedPictures)),
    ]

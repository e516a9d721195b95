"""The areas of pages, and how they are built."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from fairground.contracts.payments import Payments
from fairground.platform.links import Links
from fairground.platform.storage.settings import StorageSettings
from fairground.runtime import Runtime
from fairground.web.assets import Assets
from fairground.web.maps import MapTiles
from fairground.web.origins import Origins, origin_of
from fairground.web.pages import (
    api_docs,
    approvals,
    booking,
    booking_details,
    checkout,
    components,
    dashboard,
    dashboard_hours,
    dashboard_pictures,
    dashboard_profile,
    dashboard_services,
    demo_pictures,
    email_links,
    gallery,
    home,
    listing,
    mail,
    migrations,
    my_bookings,
    not_found,
    provider,
    security,
    sign_in,
    static,
)
from fairground.web.rendering import Renderer
from fairground.web.site import Site

# Asked in this order: the last one answers what is left.
AREAS: Final = (
    static,
    demo_pictures,
    components,
    api_docs,
    home,
    listing,
    provider,
    gallery,
    checkout,
    booking,
    my_bookings,
    booking_details,
    security,
    sign_in,
    email_links,
    dashboard,
    dashboard_profile,
    dashboard_services,
    dashboard_hours,
    dashboard_pictures,
    approvals,
    migrations,
    mail,
    not_found,
)


def build_pages(
    runtime: Runtime, links: Links, *, pictures_dir: Path, mail_dir: Path | None, map_tiles: MapTiles | None
) -> Sequence[APIRouter]:
    """Return the routers of all pages.

    Args:
        mail_dir: As `Site.mail_dir`.
        map_tiles: The background of maps; None draws the pins alone.
    """
    has_test_money = links.of(Payments).is_sandbox
    # The sandbox's 3-D Secure page is below the public address, which a reader on "localhost" is not on.
    bank = runtime.public_url if has_test_money else "https://*.stripe.com"
    assets, verticals = Assets(), runtime.verticals
    origins = _origins(runtime, bank=bank, map_tiles=map_tiles)
    site = Site(
        assets=assets,
        renderer=Renderer(assets=assets, verticals=verticals, origins=origins, map_tiles=map_tiles),
        verticals=verticals,
        clock=runtime.clock,
        cookie=runtime.cookie,
        public_url=runtime.public_url,
        has_test_money=has_test_money,
        pictures_dir=pictures_dir,
        mail_dir=mail_dir,
    )
    return [area.routes(site, links) for area in AREAS]


def _origins(runtime: Runtime, *, bank: str, map_tiles: MapTiles | None) -> Origins:
    """Return the hosts that pages use beside their own."""
    cdn_url = runtime.settings.of(StorageSettings).cdn_url
    pictures_from = (map_tiles.url if map_tiles else "", cdn_url)
    uploads = (runtime.files.upload_origin,) if runtime.files.upload_origin else ()
    return Origins(
        forms=(bank, *uploads), images=tuple(origin_of(url) for url in pictures_from if url), scripts_ask=uploads
    )

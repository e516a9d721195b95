"""The pages: one file for each area of the site, whose `routes(site, links)` returns its router."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter

from fairground.platform.module import Links
from fairground.runtime import Runtime
from fairground.web.content_security import MapTiles
from fairground.web.page_route import not_found_router
from fairground.web.pages import (
    account,
    admin,
    admin_accounts,
    admin_bookings,
    admin_jobs,
    admin_payments,
    admin_search,
    api_docs,
    approvals,
    audit,
    booking_details,
    booking_messages,
    bookings,
    checkout,
    claims,
    components,
    crawlers,
    dashboard,
    dashboard_calendar,
    dashboard_hours,
    dashboard_pictures,
    dashboard_profile,
    dashboard_services,
    files,
    home,
    mail,
    provider,
    receipts,
    reviews,
    search,
    settings,
    sign_in,
    staff,
    texts,
)
from fairground.web.site import build_site

AREAS: Final = (
    files,
    crawlers,
    components,
    api_docs,
    texts,
    home,
    search,
    provider,
    booking_details,
    claims,
    checkout,
    bookings,
    booking_messages,
    receipts,
    account,
    settings,
    sign_in,
    dashboard,
    dashboard_profile,
    dashboard_services,
    dashboard_hours,
    dashboard_calendar,
    dashboard_pictures,
    admin,
    admin_accounts,
    admin_bookings,
    admin_jobs,
    admin_payments,
    admin_search,
    approvals,
    audit,
    reviews,
    staff,
    mail,
)


def build_pages(
    runtime: Runtime,
    links: Links,
    *,
    pictures_dir: Path,
    mail_dir: Path | None,
    texts_dir: Path | None,
    map_tiles: MapTiles | None,
) -> Sequence[APIRouter]:
    """Return the routers of all pages, with the arguments of `build_site`."""
    site = build_site(
        runtime, links, pictures_dir=pictures_dir, mail_dir=mail_dir, texts_dir=texts_dir, map_tiles=map_tiles
    )
    return [*(area.routes(site, links) for area in AREAS), not_found_router(site.renderer)]

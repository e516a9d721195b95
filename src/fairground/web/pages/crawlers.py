"""What crawlers and browsers ask for at fixed addresses: robots.txt, sitemaps, favicon.ico and the web manifest."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from math import ceil
from typing import Annotated, Any, Final
from xml.sax.saxutils import escape

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, PlainTextResponse, Response

from fairground.contracts.discovery import Discovery
from fairground.contracts.providers import ALL_PROVIDERS
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.module import Links
from fairground.web.addresses import PageNotFound
from fairground.web.pages.texts import NAMES
from fairground.web.site import Site

SITEMAP_LENGTH: Final = 1_000  # about 120 KB, so that the cache stores it; the protocol allows 50,000
_SITEMAPS_MAX: Final = 50_000  # that an index may have, by the same protocol (sitemaps.org)
# Pages of one reader, parts of pages and steps of a booking say nothing to a search engine.
_PRIVATE_PATHS: Final = ("/_f/", "/admin", "/api/", "/book/", "/login", "/mail", "/me", "/pro", "/signup")
_NAMESPACE: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_DAY_SECONDS: Final = 86_400


class SitemapPath(BaseModel):
    number: int = Field(ge=1, le=_SITEMAPS_MAX)


def routes(site: Site, links: Links) -> APIRouter:
    discovery, url = links.of(Discovery), site.public_url
    router = APIRouter(include_in_schema=False)

    @router.get("/robots.txt")
    async def get_robots() -> PlainTextResponse:
        lines = ["User-agent: *", *(f"Disallow: {path}" for path in _PRIVATE_PATHS), f"Sitemap: {url}/sitemap.xml"]
        return PlainTextResponse("\n".join(lines) + "\n", headers=_for_a_day())

    @router.get("/sitemap.xml")
    @cached(CachePolicy(route="sitemap-index", life=Life.PAGES, tags=_tags))
    async def get_sitemap_index() -> Response:
        count = max(1, ceil(await discovery.count_listed() / SITEMAP_LENGTH))
        parts = [
            f"<sitemap><loc>{escape(f'{url}/sitemaps/{number}.xml')}</loc></sitemap>" for number in range(1, count + 1)
        ]
        return _xml("sitemapindex", parts)

    @router.get("/sitemaps/{number}.xml")
    @cached(CachePolicy(route="sitemap", life=Life.PAGES, path=SitemapPath, tags=_tags))
    async def get_sitemap(number: Annotated[int, Path(ge=1, le=_SITEMAPS_MAX)]) -> Response:
        listed = await discovery.list_listed(page=number, limit=SITEMAP_LENGTH)
        entries = [_entry(f"{url}/p/{each.slug}", each.updated_at) for each in listed]
        if number == 1:
            paths = ["/", *(f"/c/{pack.key}" for pack in site.verticals), *(f"/{name}" for name in NAMES), "/api/docs"]
            entries = [*(_entry(f"{url}{path}") for path in paths), *entries]
        if not entries:
            raise PageNotFound(f"There are fewer than {number} sitemaps.")
        return _xml("urlset", entries)

    @router.get("/favicon.ico")
    async def get_favicon() -> Response:
        icon = site.assets.get(site.assets.url("favicon.ico").removeprefix("/static/"))
        return Response(icon.body, media_type=icon.media_type, headers=_for_a_day())

    @router.get("/manifest.webmanifest")
    async def get_manifest() -> JSONResponse:
        icons = [
            {"src": site.assets.url("logo.svg"), "sizes": "any", "type": "image/svg+xml"},
            {"src": site.assets.url("icon-180.png"), "sizes": "180x180", "type": "image/png"},
        ]
        manifest = {"name": "Fairground", "short_name": "Fairground", "start_url": "/", "icons": icons}
        return JSONResponse(manifest, media_type="application/manifest+json", headers=_for_a_day())

    return router


def _tags(_parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return (ALL_PROVIDERS,)


def _for_a_day() -> dict[str, str]:
    return {"Cache-Control": f"public, max-age={_DAY_SECONDS}"}


def _entry(address: str, updated_at: datetime | None = None) -> str:
    changed = f"<lastmod>{updated_at:%Y-%m-%d}</lastmod>" if updated_at else ""
    return f"<url><loc>{escape(address)}</loc>{changed}</url>"


def _xml(root: str, parts: Iterable[str]) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_NAMESPACE}">{"".join(parts)}</{root}>\n'
    return Response(body, media_type="application/xml")

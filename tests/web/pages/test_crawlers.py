"""robots.txt, sitemaps, favicon and manifest."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response

from fairground.contracts.discovery import Discovery, ListedPage
from fairground.platform.module import Links
from fairground.web.pages import crawlers
from tests.support.runtime import make_site

pytestmark = pytest.mark.anyio

BASE = "http://127.0.0.1:8000"


class Listed:
    """As many listed providers as a test wants."""

    def __init__(self, number: int) -> None:
        self.pages = [
            ListedPage(slug=f"maya-{each}", updated_at=datetime(2027, 1, 12, tzinfo=UTC)) for each in range(number)
        ]

    async def count_listed(self) -> int:
        return len(self.pages)

    async def list_listed(self, *, page: int, limit: int) -> list[ListedPage]:
        return self.pages[(page - 1) * limit : page * limit]


async def get(path: str, *, providers: int = 3) -> Response:
    links = Links()
    links.provide(Discovery, cast("Discovery", Listed(providers)))
    app = FastAPI()
    app.include_router(crawlers.routes(make_site(Path()), links))
    async with AsyncClient(transport=ASGITransport(app=app, raise_app_exceptions=False), base_url=BASE) as client:
        return await client.get(path)


def locations(answer: Response) -> list[str]:
    assert answer.headers["content-type"] == "application/xml"
    return re.findall(r"<loc>([^<]+)</loc>", answer.text)


async def test_robots_names_the_sitemap_and_keeps_crawlers_from_private_pages() -> None:
    text = (await get("/robots.txt")).text
    assert f"Sitemap: {BASE}/sitemap.xml\n" in text
    for path in ("/me", "/pro", "/admin", "/book/", "/_f/", "/api/"):
        assert f"Disallow: {path}\n" in text


@pytest.mark.parametrize(("providers", "parts"), [(0, 1), (3, 1), (1_000, 1), (1_001, 2)])
async def test_sitemaps_list_every_provider_once(providers: int, parts: int) -> None:
    index = locations(await get("/sitemap.xml", providers=providers))
    assert index == [f"{BASE}/sitemaps/{number}.xml" for number in range(1, parts + 1)]
    found = [each for part in index for each in locations(await get(part.removeprefix(BASE), providers=providers))]
    assert [each for each in found if "/p/" in each] == [f"{BASE}/p/maya-{each}" for each in range(providers)]
    assert {f"{BASE}/", f"{BASE}/c/tutors", f"{BASE}/terms"} <= set(found)


async def test_favicon_is_an_icon_and_the_manifest_names_icons() -> None:
    icon = await get("/favicon.ico")
    assert icon.headers["content-type"] == "image/x-icon"
    assert icon.content.startswith(b"\0\0\1\0")
    manifest = await get("/manifest.webmanifest")
    assert manifest.headers["content-type"] == "application/manifest+json"
    assert [each["sizes"] for each in manifest.json()["icons"]] == ["any", "180x180"]

"""What tools that judge pages make of ours: axe-core finds nothing, Lighthouse gives full marks, pictures are small."""

from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import pytest
from playwright.async_api import Page

from fairground.contracts.discovery import Discovery, ProviderQuery
from fairground.ops.demo.plan_builder import build_plan
from fairground.platform.module import Links
from fairground.verticals.loader import load_verticals
from fairground.web.pages.search import PAGE_LENGTH
from tests.support.axe import find_violations
from tests.support.chromium import find_chromium
from tests.support.databases import copy_of
from tests.support.demo import build_demo, opened
from tests.support.photographers import photographers, take_photos
from tests.support.proofs import Dose
from tests.support.servers import Installation
from tests.support.visits import open_browser
from tools.lighthouse import NoLighthouse, audit, install

RUNS = 5
LEAST_SCORES = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 900}},
    "320 px": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}
PHONES: dict[str, dict[str, Any]] = {
    "dpr 1.75": {"device_scale_factor": 1.75, "viewport": {"width": 412, "height": 823}},
    "dpr 3": {"device_scale_factor": 3, "viewport": {"width": 390, "height": 844}},
}
FIRST_VIEW_MAX_BYTES = 110_000
# What is to be seen of the portraits without a scroll: how many bytes, and how many pixels for one of the screen.
LOOK_AT_PORTRAITS = """() => {
  const bytes = new Map(performance.getEntriesByType("resource").map((each) => [each.name, each.encodedBodySize]));
  return [...document.images].filter((image) => bytes.has(image.currentSrc) && image.srcset).map((image) => {
    const box = image.getBoundingClientRect();
    return {
      bytes: bytes.get(image.currentSrc),
      pixels: new URL(image.currentSrc).searchParams.get("w") / Math.max(box.width, box.height) / devicePixelRatio,
      isSeen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 0,
    };
  });
}"""


@pytest.fixture(scope="module")
async def pages(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, dose: Dose
) -> AsyncIterator[dict[str, str]]:
    """Serve a demo in which every listed provider has a photo as portrait, and yield the addresses of its pages."""
    find_chromium()
    folder = tmp_path_factory.mktemp("audits")
    url = copy_of(sqlite_template, folder)
    plan = build_plan(seed=1, verticals=load_verticals(), provider_count=dose(small=8, full=300))
    async with opened(url, folder) as program:
        await build_demo(program, plan)
        discovery = program.links.of(Discovery)
        artists = (await discovery.search_providers(query=ProviderQuery(vertical="artists", limit=PAGE_LENGTH))).data
        listed = (await discovery.search_providers(query=ProviderQuery(limit=PAGE_LENGTH))).data
        with Installation(database_url=url, data_dir=folder).serving() as server:
            shown = list(dict.fromkeys(card.id for card in (*artists, *listed)))
            photos = take_photos(len(shown), side_px=dose(small=600, full=1000))
            [picture_id, *_] = await _bring(program.links, shown, photos, server.url)
            word, provider = artists[0].business_name.split()[-1], f"/p/{artists[0].slug}"
            paths = {"home": "/", "category": "/c/artists", "search": f"/s?q={word}", "provider": provider}
            paths |= {"list": "/s", "picture": f"{provider}/pictures/{picture_id}"}
            yield {name: server.url + path for name, path in paths.items()}


async def _bring(links: Links, provider_ids: list[UUID], photos: list[bytes], base_url: str) -> list[str]:
    """Give each provider a photo for its portrait, and the first of them a gallery, whose pictures are returned."""
    async with photographers(links, provider_ids, base_url=base_url) as owners:
        for owner, photo in zip(owners, photos, strict=True):
            await owner.show_portrait(photo)
        return await owners[0].hang([(photo, f"Scene {number}") for number, photo in enumerate(photos[:4])])


async def _look_at_all(page: Page, pages: dict[str, str]) -> dict[str, list[str]]:
    found = {}
    for name, url in pages.items():
        await page.goto(url)
        # The rows of home that lie further down come when they are near.
        await page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await page.wait_for_load_state("networkidle")
        found[name] = await find_violations(page)
        if name == "category":
            await page.get_by_text("Show map").click()
            await page.locator(".map-pin").first.click()
            await page.locator(".leaflet-popup").wait_for()
            found["map"] = await find_violations(page)
        if name == "provider":
            await page.locator(".gallery a").first.click()
            await page.locator(".lightbox .viewer").wait_for()
            found["lightbox"] = await find_violations(page)
    return {name: what for name, what in found.items() if what}


async def test_axe_reports_no_violation(pages: dict[str, str], dose: Dose) -> None:
    async with open_browser() as browser:
        for look in dose(small=["light"], full=list(LOOKS)):
            page = await browser.new_page(reduced_motion="reduce", **LOOKS[look])
            assert await _look_at_all(page, pages) == {}, look
        page = await browser.new_page()
        await page.set_content("<img src='nothing.png'>")
        assert [what for what in await find_violations(page) if what.startswith("image-alt")], "it would complain"


@pytest.mark.parametrize("phone", PHONES)
async def test_first_view_of_a_phone_has_small_and_sharp_pictures(
    pages: dict[str, str], phone: str, figure: Callable[[str, float, str], None]
) -> None:
    async with open_browser() as browser:
        for name in ("home", "category", "list"):
            page = await browser.new_page(**PHONES[phone])
            await page.goto(pages[name])
            await page.wait_for_load_state("networkidle")
            loaded = await page.evaluate(LOOK_AT_PORTRAITS)
            seen = [each for each in loaded if each["isSeen"]]
            figure(f"{name}, {phone}: portraits in the first view", sum(each["bytes"] for each in seen), "B")
            figure(f"{name}, {phone}: all that are loaded before a scroll", sum(each["bytes"] for each in loaded), "B")
            assert sum(each["bytes"] for each in seen) <= FIRST_VIEW_MAX_BYTES
            assert [each for each in seen if not 0.85 <= each["pixels"] <= 1.5] == []
            assert loaded
            # Home begins with words and a search.
            assert seen or name == "home"


@pytest.mark.skipif(not Dose.is_full, reason="NOT RUN: Lighthouse takes minutes; `make proof` asks it")
async def test_lighthouse_gives_full_marks(pages: dict[str, str], figure: Callable[[str, float, str], None]) -> None:
    try:
        install()
    except NoLighthouse as reason:
        pytest.skip(f"NOT RUN: {reason}")
    look = partial(audit, chromium=find_chromium(), runs=RUNS)
    short: dict[str, tuple[set[str], tuple[str, ...]]] = {}
    for name, url in pages.items():
        seen = await anyio.to_thread.run_sync(look, url)
        for category, score in seen.scores.items():
            figure(f"{name}: {category}, median of {RUNS}", score, "of 100")
        figure(f"{name}: largest contentful paint, median of {RUNS}", round(seen.lcp_ms), "ms")
        lacking = {category for category, least in LEAST_SCORES.items() if seen.scores[category] < least}
        # A picture alone comes in one of three sizes, which on some screens has more pixels than its place.
        complaints = seen.failed + (seen.image_failures if name != "picture" else ())
        if lacking or complaints:
            short[name] = lacking, complaints
    assert short == {}

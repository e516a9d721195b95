"""Every page under a mouse, at a phone's width and a desk's; the full matrix of widths and roles is in the proofs."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.support.databases import copy_of
from tests.support.full_market import FullMarket, fill_market
from tests.support.page_states import PageState, page_routes, page_states
from tests.support.pointer import HEIGHT, WIDER_FONT, measure, open_pointer
from tests.support.visits import open_visit

WIDTHS = (1280, 390)

# The rules by which the pictures of the home page lay above its search until they got a column of their own.
OLD_HOME = """
  .hero .wrap { position: relative; display: flex; flex-direction: column; gap: var(--s5); }
  .hero-pictures { display: block; position: absolute; inset-block-start: -1.5rem; inset-inline-end: var(--gutter); inline-size: 24rem; block-size: 19rem; padding: 0; }
  .hero-pictures li { position: absolute; inline-size: 10.5rem; margin: 0 !important; }
  .hero-pictures li:nth-child(1) { inset-block-start: 1.5rem; inset-inline-start: 0; rotate: -7deg; }
  .hero-pictures li:nth-child(2) { inset-block-start: 0; inset-inline-start: 7rem; rotate: 3deg; z-index: 1; }
  .hero-pictures li:nth-child(3) { inset-block-start: 3.5rem; inset-inline-start: 13.5rem; rotate: 9deg; }
  /* A headline that needs one line in every font, so that the search is as high as the pictures. */
  .hero h1 { font-size: 1rem; }
"""  # noqa: E501 - as it was
ADD_STYLE = """css => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets.push(sheet);
}"""
COVER = "<div style='position: fixed; inset: 0 0 auto; height: {}'></div>"
WORDS = "A long word for a button"
BROKEN_PAGES = {
    "decoration above a button": ("covered", "<button>Find</button>" + COVER.format("100px")),
    "sticky header over the whole screen": ("covered", "<button>Find</button>" + COVER.format("99vh")),
    "clipped button": (
        "text is cut",
        f"<button style='width: 4em; overflow: clip; text-wrap: nowrap'>{WORDS}</button>",
    ),
    "shortened link": (
        "text is cut",
        f"<p style='width: 4em; overflow: hidden; text-overflow: ellipsis; text-wrap: nowrap'><a href=a>{WORDS}</a>",
    ),
    "narrow button": ("text leaves its control", f"<button style='width: 4em; text-wrap: nowrap'>{WORDS}</button>"),
    "narrow clock": ("text is cut", "<input type=time aria-label=From value=10:00 style='width: 5em'>"),
    "narrow date": ("text is cut", "<input type=date aria-label=On style='width: 6em'>"),
    "narrow list": ("text is cut", f"<select style='width: 4em'><option>{WORDS}</select>"),
    "narrow field": ("placeholder is cut", f"<input aria-label=Search placeholder='{WORDS}' style='width: 6em'>"),
    "link over a link": (
        "controls overlap",
        "<a href=a>One link</a><a href=b style='margin-left: -2em'>Other link</a>",
    ),
    "narrow header": ("text runs into text", "<nav><a href=a>Fairground</a><a href=b>My bookings</a></nav>"),
    "wide page": ("page is wider than the screen", "<div style='width: 120vw'>.</div><button>Find</button>"),
    "tiny button": ("smaller than 24 px", "<button style='width: 20px; height: 20px; padding: 0'>i</button>"),
}
"""By name: the rule that each breaks, and the page."""


@pytest.fixture(scope="module")
async def market(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[FullMarket]:
    folder = tmp_path_factory.mktemp("pointer")
    async with open_visit(copy_of(sqlite_template, folder), folder=folder / "var") as visit:
        yield await fill_market(visit, folder=folder)


@pytest.fixture(scope="module")
async def states(market: FullMarket) -> Sequence[PageState]:
    return await page_states(market)


@pytest.fixture(scope="module")
async def reader(market: FullMarket) -> AsyncIterator[Page]:
    page = await market.visit.person()
    yield page
    await page.context.close()


async def test_every_route_that_shows_a_page_is_visited(market: FullMarket, states: Sequence[PageState]) -> None:
    assert {state.route for state in states if not state.is_variant} == page_routes(market.visit.market.program)


@pytest.mark.timeout(900)
async def test_every_control_can_be_clicked_and_read(market: FullMarket, states: Sequence[PageState]) -> None:
    """The first state of each page for each role that has one; the proof visits all states."""
    first = {(state.route, state.role): state for state in reversed(states) if not state.is_variant}
    assert {state.route for state in first.values()} == page_routes(market.visit.market.program)
    async with open_pointer(market.visit, fonts=["wider font"]) as pointer:
        for state in reversed(first.values()):
            await pointer.visit(state, widths=WIDTHS)
    assert pointer.faults == {}
    assert pointer.visits == len(first) * len(WIDTHS) > 80
    assert pointer.controls_seen > 15 * pointer.visits, "each page has a header and a footer"


async def test_pictures_above_search_are_found(reader: Page) -> None:
    await reader.set_viewport_size({"width": 1280, "height": HEIGHT})
    await reader.goto("/")
    await reader.evaluate(ADD_STYLE, OLD_HOME)
    _, faults = await measure(reader)
    covered = [fault for fault in faults if fault.startswith("own font: covered: <button.button.large> “Find”")]
    assert len(covered) >= 3, faults
    assert all("hero-pictures" in fault or "card-media" in fault or "<li>" in fault for fault in covered)


@pytest.mark.parametrize("name", BROKEN_PAGES)
async def test_broken_page_is_found(reader: Page, name: str) -> None:
    rule, body = BROKEN_PAGES[name]
    await _show(reader, body)
    _, faults = await measure(reader)
    assert [fault for fault in faults if fault.startswith(f"own font: {rule}: ")], faults


async def test_sound_page_has_no_faults(reader: Page) -> None:
    links = "<nav><a href=a>Fairground</a> <a href=b>My bookings</a></nav>"
    fields = "<p><button>Find</button> <select aria-label=Who><option>All</select> <input type=time aria-label=From>"
    await _show(reader, f"<style>button, select {{ min-height: 24px }}</style>{links}{fields}")
    assert await measure(reader) == (5, [])


async def test_wider_font_is_a_tenth_wider(reader: Page) -> None:
    await _show(reader, "<span>Sign-ins and tokens, a headline and a price</span>")
    width = "document.querySelector('span').getBoundingClientRect().width"
    await reader.evaluate(ADD_STYLE, "html { font-family: system-ui, sans-serif }")
    own = await reader.evaluate(width)
    await reader.evaluate(ADD_STYLE, WIDER_FONT)
    await reader.evaluate("document.fonts.load('16px Wider')")
    assert await reader.evaluate(width) >= 1.08 * own


async def _show(reader: Page, body: str) -> None:
    # A page of ours would pass its content security policy and styles on to what is written into it.
    await reader.goto("about:blank")
    await reader.set_content(f"<!doctype html><html lang=en><meta name=viewport content='width=device-width'>{body}")

"""Every page under a mouse: what cannot be clicked, what is cut, what overlaps. The rules are in pointer.js."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Page

from tests.support.page_states import ANONYMOUS, ROLES, PageState
from tests.support.visits import Visit, sign_in

SCRIPT: Final = Path(__file__).with_suffix(".js").read_text()
# Scrolls to a part that is loaded when it is near, and returns its address; it may be replaced at any moment.
NEXT_ROW: Final = """() => {
  const row = document.querySelector("[hx-trigger^=intersect]");
  row?.scrollIntoView();
  return row?.getAttribute("hx-get");
}"""
WIDTHS: Final = (360, 390, 768, 1024, 1280, 1920)
HEIGHT: Final = 844

# The pages ask for the system's font, and each system has another. Text that is a tenth wider must fit as well.
_REGULAR = "local('DejaVu Sans'), local('Liberation Sans'), local('Noto Sans'), local('Arial'), local('Roboto')"
_BOLD = "local('DejaVu Sans Bold'), local('Liberation Sans Bold'), local('Noto Sans Bold'), local('Arial Bold')"
WIDER_FONT: Final = (
    f"@font-face {{ font-family: Wider; src: {_REGULAR}; font-weight: 400; size-adjust: 110%; }}"
    f"@font-face {{ font-family: Wider; src: {_BOLD}, {_REGULAR}; font-weight: 700; size-adjust: 110%; }}"
    "html { font-family: Wider, system-ui, sans-serif; }"
)
FONTS: Final = {"own font": "", "wider font": WIDER_FONT}


@dataclass
class Pointer:
    """A page, the cookies of each role, and what was found so far."""

    page: Page
    cookies: dict[str, list[Any]]
    fonts: Sequence[str] = tuple(FONTS)
    faults: dict[str, list[str]] = field(default_factory=dict)
    controls_seen: int = 0
    visits: int = 0
    role: str = ANONYMOUS

    async def visit(self, state: PageState, *, widths: Sequence[int]) -> None:
        """Measure a page in one state at each of the widths. It is loaded once, and made narrower or wider."""
        page = self.page
        if state.role != self.role:
            await page.context.clear_cookies()
            await page.context.add_cookies(self.cookies[state.role])
            self.role = state.role
        await page.set_viewport_size({"width": widths[0], "height": HEIGHT})
        await _open(page, state)
        for width in widths:
            await page.set_viewport_size({"width": width, "height": HEIGHT})
            seen, faults = await measure(page, fonts=self.fonts)
            self.controls_seen += seen
            self.visits += 1
            if faults:
                self.faults[f"{state.title}, {width} px"] = faults


async def measure(page: Page, *, fonts: Sequence[str] = ("own font",)) -> tuple[int, list[str]]:
    """Return how many controls were measured, and the faults of the page in its present state."""
    found = await page.evaluate(SCRIPT, {"fonts": {font: FONTS[font] for font in fonts}})
    return found["count"], found["faults"]


async def _open(page: Page, state: PageState) -> None:
    await page.goto(state.path)
    if state.reach is not None:
        await state.reach(page)
    # Who is signed in is filled into a shared page, and rows of home come when they are near.
    if state.role != ANONYMOUS and await page.locator("[data-account-url]").count():
        # The page of all parts shows a second such menu, as a specimen.
        await page.locator("[data-account-url]").get_by_text("Signed in as").wait_for(state="attached")
    while path := await page.evaluate(NEXT_ROW):
        await page.locator(f"[hx-get='{path}']").wait_for(state="detached")


@asynccontextmanager
async def open_pointer(visit: Visit, *, fonts: Sequence[str] = tuple(FONTS)) -> AsyncIterator[Pointer]:
    """Open one page for all roles, since each open page costs as much as many visits. Each role signs in once."""
    page = await visit.person()
    await page.emulate_media(reduced_motion="reduce", color_scheme="light")
    cookies: dict[str, list[Any]] = {ANONYMOUS: []}
    for role in ROLES:
        if role != ANONYMOUS:
            await page.context.clear_cookies()
            await sign_in(page, role)
            cookies[role] = await page.context.cookies()
    await page.context.clear_cookies()
    yield Pointer(page, cookies, fonts)
    await page.context.close()

"""The pictures of the README, taken from the program as it is: `python -m tools.screenshots [folder]`.

It starts the demo in a temporary folder and looks at it with Chromium, so it takes some minutes. The program asks for
the system's font; with Noto Sans installed (Debian: fonts-noto-core) the pictures look as they did before.
"""

import contextlib
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import httpx
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from fairground.ops.demo.plan_builder import SEED, build_plan
from fairground.ops.demo.plan_writer import PASSWORD
from fairground.verticals.loader import load_verticals
from tools.guardian import dismiss, free_port, launch

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
PROVIDER: Final = "Baan Sarita"
PROVIDER_SLUG: Final = "baan-sarita"
PHONE_PROVIDER_SLUG: Final = "vasco-teixeira"
ACCEPTED: Final = 2
GUESTS: Final = (
    ("customer-3@example.org", 4, "Our first dinner in the new flat."),
    ("customer-8@example.org", 6, "We would like to help with the cooking."),
    ("customer-5@example.org", 10, "Two of us do not eat fish."),
    ("customer-2@example.org", 8, "A birthday; one guest eats no nuts."),
)
_DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 860}
_PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
_GAP_PX: Final = 20
_COLOURS: Final = 256
_START_SECONDS: Final = 600
_QUIET_SECONDS: Final = 1800
_QUIET_POLLS: Final = 2
_FRIDAY: Final = 5
_POLL_SECONDS: Final = 4

Scheme = Literal["light", "dark"]


class NoPictures(Exception):
    """They cannot be taken. The message says why and what to do."""


@dataclass(frozen=True)
class Demo:
    """A running marketplace with its demo, whose background work is done."""

    address: str
    environment: Mapping[str, str]
    owner_emails: Mapping[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def running_demo() -> Iterator[Demo]:
    """Start the demo on a free port, and stop it when the block ends."""
    folder, port = Path(tempfile.mkdtemp(prefix="fairground-pictures-")), free_port()
    settings = {"FAIRGROUND_DATA_DIR": str(folder / "data"), "FAIRGROUND_HTTP_PORT": str(port)}
    environment = {**os.environ, **settings}
    named = [f"{name}={value}" for name, value in settings.items()]
    guardian = launch(["env", *named, _fairground(), "up"], folder=folder, ends_by="KILL")
    try:
        demo = Demo(f"http://127.0.0.1:{port}", environment, _owner_emails())
        _await_start(demo, guardian, log=folder / "log")
        _await_quiet(demo)
        yield demo
    finally:
        dismiss(guardian)


def _fairground() -> str:
    return str(Path(sys.executable).with_name("fairground"))


def _owner_emails() -> dict[str, str]:
    plan = build_plan(seed=SEED, verticals=load_verticals())
    return {provider.profile.business_name: provider.email for provider in plan.providers}


def _await_start(demo: Demo, guardian: subprocess.Popen[bytes], *, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and guardian.poll() is None:
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{demo.address}/readyz").is_success:
                return
        time.sleep(1)
    raise NoPictures(f"The demo did not start: {log.read_text(errors='replace')[-2000:]}")


def _await_quiet(demo: Demo) -> None:
    """Wait until the numbers of jobs stop changing: counters and ratings follow the demo's bookings by jobs."""
    counts, quiet_polls, deadline = "", 0, time.monotonic() + _QUIET_SECONDS
    while quiet_polls < _QUIET_POLLS:
        if time.monotonic() > deadline:
            raise NoPictures("The background work of the demo does not end.")
        time.sleep(_POLL_SECONDS)
        command = [_fairground(), "jobs", "list"]
        found = subprocess.run(command, env=demo.environment, capture_output=True, text=True, check=False)
        # A busy database may refuse the command for a moment; that counts as a change.
        is_quiet = not found.returncode and found.stdout == counts
        quiet_polls, counts = (quiet_polls + 1 if is_quiet else 0), found.stdout


class Camera:
    """Opens pages of the demo and stores screenshots of them."""

    def __init__(self, browser: Browser, demo: Demo, folder: Path) -> None:
        self._browser = browser
        self._demo = demo
        self._folder = folder

    @contextlib.contextmanager
    def visitor(
        self, *, viewport: ViewportSize = _DESKTOP, scheme: Scheme = "light", email: str = ""
    ) -> Iterator[Page]:
        """Give a page of a new browser profile, signed in where an address is given."""
        context = self._browser.new_context(
            base_url=self._demo.address,
            viewport=viewport,
            color_scheme=scheme,
            locale="en-GB",
            timezone_id="Europe/Berlin",
            has_touch=viewport is _PHONE,
        )
        page = context.new_page()
        if email:
            page.goto("/login")
            page.fill("#email", email)
            page.fill("#password", PASSWORD)
            page.locator("form[action='/login'] button[type=submit]").click()
            page.wait_for_url(lambda url: "/login" not in url)
        yield page
        context.close()

    def take(self, page: Page, name: str) -> None:
        self.save(shot_of(page), name)

    def save(self, image: Image.Image, name: str) -> None:
        colours = image.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        colours.save(self._folder / f"{name}.png", optimize=True)


def shot_of(page: Page) -> Image.Image:
    """Return what the window shows, with nothing focused and every picture loaded."""
    page.wait_for_load_state("networkidle")
    page.evaluate("document.activeElement?.blur()")
    page.mouse.move(0, 0)
    return Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide")))


def take_list(camera: Camera) -> None:
    with camera.visitor() as page:
        page.goto("/c/chefs")
        page.goto(f"/c/chefs?when={_some_friday()}")
        camera.take(page, "list")


def _some_friday() -> date:
    """Return the first Friday that is at least a week away: some providers ask for a few days' notice."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 + (_FRIDAY - today.isoweekday()) % 7)


def take_provider(camera: Camera) -> None:
    with camera.visitor() as page:
        open_day(page, PROVIDER_SLUG, number=3)
        page.evaluate("scrollBy(0, 14)")  # so that the lower edge cuts through no line of text
        camera.take(page, "provider")


def open_day(page: Page, slug: str, *, number: int) -> None:
    """Open a provider's page at one of the first days that have free times, counted from 0."""
    page.goto(f"/p/{slug}")
    href = page.locator("a.day").nth(number).get_attribute("href")
    page.goto((href or "").partition("#")[0])


def hold(page: Page, *, number: int, party_size: int, note: str) -> None:
    """Hold a time of the provider, and stop at the page with the card form."""
    open_day(page, PROVIDER_SLUG, number=number)
    page.locator("a.slot").nth(number).click()
    page.fill("#party_size", str(party_size))
    page.fill("#note", note)
    page.locator("main form[action^='/book/'] button").click()
    page.wait_for_url("**/book/h/**")
    page.locator("input[name=payment_method]").first.check()


def pay(page: Page) -> None:
    page.locator("main form[action^='/book/h/'] button").first.click()
    page.locator("input[name=payment_method]").first.wait_for(state="detached")


def take_payment(camera: Camera) -> None:
    """Book as each of the guests; the last one is looked at before paying."""
    for number, (email, party_size, note) in enumerate(GUESTS):
        with camera.visitor(email=email) as page:
            hold(page, number=number, party_size=party_size, note=note)
            if number == len(GUESTS) - 1:
                camera.take(page, "pay")
            pay(page)


def take_dashboard(camera: Camera, demo: Demo) -> None:
    """Accept the first requests as their provider, and look at what is left."""
    with camera.visitor(email=demo.owner_emails[PROVIDER]) as page:
        for _ in range(ACCEPTED):
            page.goto("/pro")
            page.locator("form[action$='/accept'] button").first.click()
            page.wait_for_load_state("networkidle")
        page.goto("/pro")
        page.evaluate("scrollBy(0, 24)")  # as above
        camera.take(page, "desk")


def take_phone(camera: Camera) -> None:
    with camera.visitor(viewport=_PHONE) as page:
        page.goto("/")
        home = shot_of(page)
        open_day(page, PHONE_PROVIDER_SLUG, number=2)
        page.evaluate("document.querySelector('#times').scrollIntoView({block: 'start'})")
        page.mouse.wheel(0, -_GAP_PX)
        times = shot_of(page)
    with camera.visitor(viewport=_PHONE, scheme="dark") as page:
        page.goto(f"/p/{PHONE_PROVIDER_SLUG}")
        profile = shot_of(page)
    width, height = _PHONE["width"], _PHONE["height"]
    joined = Image.new("RGB", (3 * width + 2 * _GAP_PX, height), "white")
    for number, shot in enumerate((home, times, profile)):
        joined.paste(shot, (number * (width + _GAP_PX), 0))
    camera.save(joined, "phone")


def main() -> None:
    """Take all pictures, into the folder named or into docs/screenshots."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    chromium = shutil.which(os.environ.get("FAIRGROUND_TEST_CHROMIUM", "chromium"))
    if chromium is None:
        raise NoPictures("There is no Chromium; install it, or name it in FAIRGROUND_TEST_CHROMIUM.")
    with running_demo() as demo, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        camera = Camera(browser, demo, folder)
        take_list(camera)
        take_provider(camera)
        take_payment(camera)
        take_dashboard(camera, demo)
        take_phone(camera)
        browser.close()


if __name__ == "__main__":
    try:
        main()
    except NoPictures as error:
        sys.exit(str(error))

"""A marketplace that is served over a socket, and Chromium in front of it."""

import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.support.chromium import find_chromium
from tests.support.marketplace import PASSWORD, Market, open_market

_ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-quic",
    "--disable-gpu",
    # Fields for a time say AM and PM, which takes the most room.
    "--lang=en-US",
]


@dataclass
class Outage:
    """Answers in place of the marketplace, as a proxy does while its server is replaced."""

    app: ASGIApp
    path: str = ""
    """What cannot be had; everything else can."""
    retry_after: str = "0"
    failures_left: int = 0
    asked_at: list[float] = field(default_factory=list)
    """When the path was asked for, in seconds of a clock that only runs forward."""

    def begin(self, path: str, *, failures: int, retry_after: str = "0") -> None:
        self.path, self.failures_left, self.retry_after, self.asked_at = path, failures, retry_after, []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = self.app
        if scope["path"] == self.path:
            self.asked_at.append(time.monotonic())
            if self.failures_left:
                self.failures_left -= 1
                app = PlainTextResponse("Away", status_code=503, headers={"Retry-After": self.retry_after})
        await app(scope, receive, send)


@dataclass
class Visit:
    """A marketplace that is served, and a browser in front of it."""

    market: Market
    browser: Browser
    address: str
    outage: Outage
    complaints: list[str] = field(default_factory=list)
    """What the browser's console said of errors, refusals by the page's policy among them."""

    async def person(
        self, *, has_script: bool = True, has_touch: bool = False, width: int = 1280, zone: str | None = None
    ) -> Page:
        context = await self.browser.new_context(
            base_url=self.address,
            java_script_enabled=has_script,
            # A device whose only pointer is a finger is a phone.
            has_touch=has_touch,
            is_mobile=has_touch,
            viewport={"width": width, "height": 844},
            timezone_id=zone,
        )
        page = await context.new_page()
        page.on("console", lambda message: self._listen(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    async def signed_in(self, email: str, *, has_script: bool, has_touch: bool = False, width: int = 1280) -> Page:
        page = await self.person(has_script=has_script, has_touch=has_touch, width=width)
        await sign_in(page, email)
        return page

    def _listen(self, kind: str, text: str) -> None:
        # A refused form has the status 422, which is no fault of the page.
        if kind == "error" and "status of 422" not in text:
            self.complaints.append(text)


async def sign_in(page: Page, email: str) -> None:
    await page.goto("/login")
    await page.fill("#email", email)
    await page.fill("#password", PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_load_state()


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium, without a window."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=_ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def open_visit(database_url: str, *, folder: Path) -> AsyncIterator[Visit]:
    """Serve a marketplace on a migrated database, and open a browser."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        async with open_browser() as browser, open_market(database_url, folder=folder, port=port) as market:
            outage = Outage(market.app)
            async with served(outage, listener):
                yield Visit(market, browser, f"http://127.0.0.1:{port}", outage)


@asynccontextmanager
async def served(app: ASGIApp, listener: socket.socket) -> AsyncIterator[None]:
    """Serve an application on a socket that listens."""
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.serve, [listener])
        yield
        server.should_exit = True

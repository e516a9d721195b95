"""A whole marketplace in one process, and people who use its pages without script."""

import email
import email.policy
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import anyio
from httpx import ASGITransport, AsyncClient
from starlette.types import ASGIApp

from fairground.contracts.accounts import Accounts, Role
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.web.availability_calendar import following_month
from tests.support.browsing import Reader
from tests.support.lists import lists_have_followed

PASSWORD = "a sentence that is long enough"
_MAIL_WAIT_SECONDS = 20
_MORNING = time(6, tzinfo=UTC)
HOURS = {f"start_{weekday}_0": "10:00" for weekday in range(7)} | {f"end_{weekday}_0": "20:00" for weekday in range(7)}
SERVICE = {"name": "Evening set", "category": "pianist", "price": "97.50", "duration_minutes": "60"}


@dataclass
class Market:
    program: Program
    mail_dir: Path
    app: ASGIApp

    def reader(self) -> Reader:
        # https, so that the cookie jar hands over the session cookie, which is for safe connections only.
        return Reader(AsyncClient(transport=ASGITransport(app=self.app), base_url="https://127.0.0.1:8000"))

    async def sign_in(self, email_address: str) -> Reader:
        reader = self.reader()
        await reader.open("/login")
        await reader.send("Sign in", email=email_address, password=PASSWORD)
        assert reader.status == 200, reader.text
        return reader

    async def user(self, email_address: str, *, role: Role, name: str) -> Reader:
        """Create a verified account, and return a reader who is signed in to it."""
        accounts = self.program.links.of(Accounts)
        await accounts.create_user(email=email_address, password=PASSWORD, name=name, role=role)
        return await self.sign_in(email_address)

    async def mailed_link(self, to: str, *, path: str) -> str:
        """Wait for a mail and return the link in it, as a path."""
        with anyio.fail_after(_MAIL_WAIT_SECONDS):
            while True:
                for file in sorted(self.mail_dir.glob("*.eml"), reverse=True):
                    if link := _link_in(file, to=to, path=path):
                        return link
                await anyio.sleep(0.05)

    def skip_to(self, instant: datetime) -> None:
        """Move the database's clock to the instant."""
        self.program.db.clock_shift = instant - datetime.now(UTC)

    def now(self) -> datetime:
        """Return what the database's clock shows."""
        return datetime.now(UTC) + self.program.db.clock_shift


def _link_in(file: Path, *, to: str, path: str) -> str | None:
    message = email.message_from_bytes(file.read_bytes(), _class=EmailMessage, policy=email.policy.default)
    body = message.get_body(("plain",))
    if body is None or to not in str(message["To"]):
        return None
    found = re.search(rf"https?://[^/\s]+({re.escape(path)}\S+)", body.get_content())
    return found[1] if found else None


@asynccontextmanager
async def open_market(
    database_url: str, *, folder: Path, port: int = 8000, **more_settings: Any
) -> AsyncIterator[Market]:
    """Run a marketplace on a migrated database; `port` is where it would be served."""
    settings = Settings(database_url=database_url, data_dir=folder, http_port=port, **more_settings)
    program = compose(settings)
    program.db.backend.acquire_server_lock()
    market = Market(program, settings.mail_dir, program.build_app())
    market.skip_to(_opening(datetime.now(UTC).date()))
    async with program.running():
        yield market


def _opening(today: date) -> datetime:
    """Return a morning early in the coming month.

    Late in a day a provider's page offers one last time, and late in a month it has no free day left: what the tests
    see would depend on when they run.
    """
    return datetime.combine(following_month(today).replace(day=5), _MORNING)


async def describe(
    provider: Reader, *, name: str, vertical: str = "artists", categories: Sequence[str] = ("pianist", "band")
) -> None:
    await provider.open(f"/pro/profile?vertical={vertical}")
    await provider.send(
        "Save and go on",
        business_name=name,
        bio="We met at a street party and have not stopped playing since.",
        location="Oslo, Norway",
        timezone="Europe/Oslo",
        categories=list(categories),
    )
    assert provider.path == "/pro/services"


async def offer(provider: Reader, *, mode: str) -> None:
    await provider.open("/pro/services")
    await provider.send("Add service", booking_mode=mode, **SERVICE)
    await provider.open("/pro/hours")
    await provider.send("Save the hours", **HOURS)
    assert "Your hours are saved" in provider.text


async def public_provider(market: Market, *, mode: str = "request") -> tuple[Reader, str]:
    """Return a signed-in provider on the dashboard, and the path of the public page."""
    provider = await market.user("maya@example.org", role=Role.PROVIDER, name="Maya Rivera")
    await describe(provider, name="Maya & the Tides")
    await offer(provider, mode=mode)
    await (await provider.open("/pro")).send("Submit for approval")
    staff = await market.user("ada@example.org", role=Role.ADMIN, name="Ada Staff")
    await (await staff.open("/admin/approvals")).follow("Maya & the Tides")
    await staff.send("Approve")
    await lists_have_followed(market.program)
    return provider, "/p/maya-the-tides"

"""A sandbox with the official Stripe SDK as its client, and a shop that takes its webhooks."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import stripe
from starlette.applications import Starlette

from fairground.sandbox.stripe.sandbox import Faults, StripeSandbox

SHOP = "http://shop.test"


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, *, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)


@dataclass
class Shop:
    """Takes webhooks and answers with the statuses given, then with 200."""

    statuses: list[int] = field(default_factory=list)
    received: list[tuple[bytes, str]] = field(default_factory=list)

    async def take(self, body: bytes, headers: dict[str, str]) -> int:
        self.received.append((body, headers["stripe-signature"]))
        return self.statuses.pop(0) if self.statuses else 200


class AppHTTPClient(stripe.HTTPXClient):
    """The SDK's own client, connected to an ASGI application."""

    def __init__(self, app: Any) -> None:
        super().__init__()
        self._client_async = httpx.AsyncClient(transport=httpx.ASGITransport(app))

    def _get_request_args_kwargs(self, *args: Any, **kwargs: Any) -> tuple[tuple[str, str], dict[str, Any]]:
        # The SDK hands text to httpx as `data`, which httpx deprecates in favour of `content`.
        where, how = super()._get_request_args_kwargs(*args, **kwargs)
        how["content"] = how.pop("data") or b""
        return where, how


@dataclass
class Rig:
    sandbox: StripeSandbox
    stripe: stripe.StripeClient
    browser: httpx.AsyncClient


OpenRig = Callable[..., Awaitable[Rig]]


@asynccontextmanager
async def opened(path: Path, clock: TestClock, shop: Shop, faults: Faults) -> AsyncIterator[Rig]:
    sandbox = StripeSandbox(path=path, pages_url=SHOP, deliver=shop.take, clock=clock, faults=faults)
    sdk = stripe.StripeClient(await sandbox.api_key(), http_client=AppHTTPClient(sandbox.api), max_network_retries=0)
    pages = httpx.ASGITransport(Starlette(routes=sandbox.page_routes))
    async with httpx.AsyncClient(transport=pages, base_url=SHOP) as browser:
        yield Rig(sandbox, sdk, browser)
    await sandbox.stop()

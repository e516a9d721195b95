"""A server of its own in Stripe's place: the sandbox, its script and its pages, for a marketplace with real keys."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from fairground.kernel.zones import SystemClock
from fairground.sandbox.stripe.sandbox import Faults, StripeSandbox
from tests.support.visits import Visit, open_visit, served

NUMBERS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "declined": "4000000000000002",
    "asks": "4000002760003184",
}
"""Card numbers of docs.stripe.com/testing."""


@dataclass
class StripeServer:
    sandbox: StripeSandbox
    address: str
    shop_url: str = ""
    """Where its webhooks go; until it is set they get no answer, as from a shop that is away."""
    requests: list[str] = field(default_factory=list)
    """What it was asked for, such as "POST /v1/payment_methods"."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            self.requests.append(f"{scope['method']} {scope['path']}")
        await self.sandbox.server(scope, receive, send)

    async def intents(self) -> list[dict[str, Any]]:
        """Return its intents, the newest first, each with its payment method in place of the id."""
        headers = {"authorization": f"Bearer {await self.sandbox.api_key()}"}
        transport = httpx.ASGITransport(self.sandbox.api)
        async with httpx.AsyncClient(transport=transport, base_url=self.address, headers=headers) as client:
            listed = (await client.get("/v1/payment_intents?limit=100")).raise_for_status().json()["data"]
            expand = {"expand[0]": "payment_method"}
            shown = [await client.get(f"/v1/payment_intents/{intent['id']}", params=expand) for intent in listed]
            return [answer.raise_for_status().json() for answer in shown]


@asynccontextmanager
async def open_stripe(folder: Path) -> AsyncIterator[StripeServer]:
    """Serve the sandbox at an address of its own, and send its webhooks by HTTP."""

    async def deliver(body: bytes, headers: dict[str, str]) -> int:
        if not server.shop_url:
            return 0
        async with httpx.AsyncClient(base_url=server.shop_url) as client:
            return (await client.post("/api/v1/webhooks/stripe", content=body, headers=headers)).status_code

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        path, clock = folder / "stripe.db", SystemClock()
        sandbox = StripeSandbox(path=path, pages_url=address, deliver=deliver, clock=clock, faults=Faults())
        server = StripeServer(sandbox, address)
        async with served(server, listener):
            await sandbox.start()
            try:
                yield server
            finally:
                await sandbox.stop()


async def use_stripe(server: StripeServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the keys of the server's account, as an operator does."""
    keys = {
        "API_KEY": await server.sandbox.api_key(),
        "WEBHOOK_SECRET": await server.sandbox.webhook_secret(),
        "PUBLISHABLE_KEY": await server.sandbox.publishable_key(),
        "TEST_SERVER": server.address,
    }
    for name, value in keys.items():
        monkeypatch.setenv(f"FAIRGROUND_PAYMENTS_STRIPE_{name}", value)


@asynccontextmanager
async def open_card_visit(
    database_url: str, *, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Visit, StripeServer]]:
    """Serve a marketplace that takes cards at a server in Stripe's place, and open a browser."""
    async with open_stripe(folder) as server:
        await use_stripe(server, monkeypatch)
        async with open_visit(database_url, folder=folder) as visit:
            server.shop_url = visit.address
            try:
                yield visit, server
            finally:
                # No webhook goes to a shop that is closing.
                server.shop_url = ""

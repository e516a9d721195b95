"""The sandbox as a whole: its file, its API, its 3-D Secure page, its webhooks, and its script for browsers."""

from asyncio import TaskGroup
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp

from fairground.kernel.zones import Clock
from fairground.sandbox.stripe.api import FaultOf, RequestFault, StripeAPI
from fairground.sandbox.stripe.store import SandboxStore
from fairground.sandbox.stripe.three_d_secure import ThreeDSecurePage
from fairground.sandbox.stripe.webhooks import Deliver, Delivery, WebhookSender

PAGE_PATH: Final = "/sandbox/3d-secure"
# The stand-in for Stripe.js, at the path of Stripe's version, and the frame in which it shows the fields of a card.
_SCRIPT_FILES: Final = {
    "/endive/stripe.js": "stripe_js.js",
    "/elements/card": "card_fields.html",
    "/elements/card.js": "card_fields.js",
}


def _no_request_fault(_method: str, _path: str) -> RequestFault | None:
    return None


def _as_due(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    return deliveries


@dataclass(frozen=True, kw_only=True)
class Faults:
    """Deliberate faults. Only tests pass any; no setting reaches them."""

    on_request: FaultOf = _no_request_fault
    hang_seconds: float = 30
    rearrange_webhooks: Callable[[Sequence[Delivery]], Sequence[Delivery]] = _as_due
    """Given the webhooks that are due; may repeat or reorder them. One left out is lost for ever."""
    webhook_delay_seconds: float = 0


class StripeSandbox:
    """A fake Stripe in this process, with its state in one file.

    Args:
        path: The file of its state; made on first use, and shared by all processes of the installation.
        pages_url: Where the customer's browser finds `page_routes`.
        deliver: How a webhook reaches the marketplace.
    """

    def __init__(self, *, path: Path, pages_url: str, deliver: Deliver, clock: Clock, faults: Faults) -> None:
        self._store = SandboxStore(path)
        self._tasks = AsyncExitStack()
        self.sender = WebhookSender(
            store=self._store,
            secret=self.webhook_secret,
            deliver=deliver,
            clock=clock,
            rearrange=faults.rearrange_webhooks,
        )
        self.api: ASGIApp = StripeAPI(
            store=self._store,
            api_key=self.api_key,
            publishable_key=self.publishable_key,
            page_url=pages_url + PAGE_PATH,
            clock=clock,
            sender=self.sender,
            fault_of=faults.on_request,
            hang_seconds=faults.hang_seconds,
            webhook_delay_seconds=faults.webhook_delay_seconds,
        ).app
        page = ThreeDSecurePage(
            store=self._store, clock=clock, sender=self.sender, webhook_delay_seconds=faults.webhook_delay_seconds
        )
        self.page_routes: list[BaseRoute] = list(page.routes(PAGE_PATH))

    @property
    def server(self) -> ASGIApp:
        """All that Stripe's servers answer, browsers included, to be served at an address of its own."""
        return Starlette(routes=[*map(_file_route, _SCRIPT_FILES), *self.page_routes, Mount("/", self.api)])

    async def api_key(self) -> str:
        """Return the secret key of `/v1`, made once for this installation."""
        return await self._store.secret("api_key", prefix="sk_test_")

    async def publishable_key(self) -> str:
        """Return the key with which browsers make payment methods, made once for this installation."""
        return await self._store.secret("publishable_key", prefix="pk_test_")

    async def webhook_secret(self) -> str:
        """Return the secret that signs the webhooks, made once for this installation."""
        return await self._store.secret("webhook_secret", prefix="whsec_")

    async def start(self) -> None:
        """Begin to send webhooks."""
        tasks = await self._tasks.enter_async_context(TaskGroup())
        tasks.create_task(self.sender.run())

    async def stop(self) -> None:
        """Finish the current webhook and close the file. Called by the task that called `start`."""
        self.sender.stop()
        await self._tasks.aclose()
        self._store.close()


def _file_route(path: str) -> Route:
    file = Path(__file__).parent / _SCRIPT_FILES[path]

    async def answer(_request: Request) -> Response:
        return FileResponse(file, headers={"cache-control": "no-store"})

    return Route(path, answer, methods=["GET"])

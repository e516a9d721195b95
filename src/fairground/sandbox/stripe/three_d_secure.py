"""The 3-D Secure page, on which a bank's customer confirms: a form with two buttons, then back to the shop.

Source: docs.stripe.com/payments/3d-secure (the redirect, and the parameters it adds to `return_url`).
"""

import hmac
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from fairground.kernel.zones import Clock
from fairground.sandbox.stripe import cards, intents
from fairground.sandbox.stripe.calls import Call
from fairground.sandbox.stripe.intents import Intent, Status
from fairground.sandbox.stripe.store import SandboxStore, Tx
from fairground.sandbox.stripe.webhooks import WebhookSender

_PAGE: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined
).get_template("three_d_secure.html")


class ThreeDSecurePage:
    """Serves `{prefix}/{intent_id}/{token}` to the customer's browser; the token is the credential."""

    def __init__(
        self, *, store: SandboxStore, clock: Clock, sender: WebhookSender, webhook_delay_seconds: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._sender = sender
        self._webhook_delay_seconds = webhook_delay_seconds

    def routes(self, prefix: str) -> list[Route]:
        path = prefix + "/{intent_id}/{token}"
        return [Route(path, self._show, methods=["GET"]), Route(path, self._answer, methods=["POST"])]

    async def _show(self, request: Request) -> Response:
        intent = await self._find(request)
        if intent is None:
            return PlainTextResponse("No such authentication.", 404)
        if intent.status is not Status.REQUIRES_ACTION:
            return _back_to_shop(intent)
        amount = cards.format_amount(intent.amount, intent.currency)
        page = _PAGE.render(amount=amount, currency=intent.currency.upper())
        return HTMLResponse(page, headers={"content-security-policy": _policy(intent), "cache-control": "no-store"})

    async def _answer(self, request: Request) -> Response:
        found = await self._find(request)
        if found is None:
            return PlainTextResponse("No such authentication.", 404)
        passed = (await request.form()).get("outcome") == "complete"
        intent = await self._store.write(partial(self._authenticate, intent_id=found.id, passed=passed))
        self._sender.wake()
        return _back_to_shop(intent)

    async def _find(self, request: Request) -> Intent | None:
        intent = await self._store.read(partial(intents.find_intent, intent_id=request.path_params["intent_id"]))
        if intent is None:
            return None
        token = intent.authentication_url.rpartition("/")[2]
        is_known = hmac.compare_digest(token.encode(), request.path_params["token"].encode())
        return intent if is_known else None

    def _authenticate(self, tx: Tx, *, intent_id: str, passed: bool) -> Intent:
        now = self._clock.now().timestamp()
        call = Call(tx=tx, now=int(now), webhook_due_at=now + self._webhook_delay_seconds, page_url="")
        return intents.authenticate_intent(call, intent_id, passed=passed)


def _back_to_shop(intent: Intent) -> Response:
    succeeded = intent.status in {Status.REQUIRES_CAPTURE, Status.SUCCEEDED}
    parameters = {
        "payment_intent": intent.id,
        "payment_intent_client_secret": intent.client_secret,
        "redirect_status": "succeeded" if succeeded else "failed",
    }
    shop = urlsplit(intent.return_url or "/")
    query = "&".join(part for part in (shop.query, urlencode(parameters)) if part)
    return RedirectResponse(urlunsplit(shop._replace(query=query)), 303)


def _policy(intent: Intent) -> str:
    # Browsers hold the redirect that follows a form to `form-action` too, so the shop is named beside this page.
    shop = urlsplit(intent.return_url or "/")
    origin = f" {shop.scheme}://{shop.netloc}" if shop.netloc else ""
    return f"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'{origin}; frame-ancestors 'none'"

"""The routes of the fake `/v1`: who asks, with which key, for what; form bodies in, Stripe's JSON out.

Source: docs.stripe.com/api.
"""

import asyncio
import hmac
import json
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from functools import partial
from http import HTTPMethod
from typing import Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fairground.kernel.clock import Clock
from fairground.modules.payments.sandbox import actions, cards, errors, idempotency, requests, store
from fairground.modules.payments.sandbox.actions import Call
from fairground.modules.payments.sandbox.errors import Json, StripeError
from fairground.modules.payments.sandbox.faults import Faults, RequestFault
from fairground.modules.payments.sandbox.idempotency import Answer, Claim
from fairground.modules.payments.sandbox.intents import Intent
from fairground.modules.payments.sandbox.store import SandboxStore, Tx
from fairground.modules.payments.sandbox.webhooks import WebhookSender


class StripeAPI:
    """`/v1` as an ASGI application, in `app`."""

    def __init__(
        self,
        *,
        store: SandboxStore,
        api_key: Callable[[], Awaitable[str]],
        page_url: str,
        clock: Clock,
        sender: WebhookSender,
        faults: Faults,
    ) -> None:
        self._store = store
        self._api_key = api_key
        self._page_url = page_url
        self._clock = clock
        self._sender = sender
        self._faults = faults
        self.app = Starlette(routes=self._routes())

    def _routes(self) -> list[Route]:
        get, post = self._get, self._post
        return [
            get("/v1/payment_intents", self._list_intents),
            post("/v1/payment_intents", requests.CreateIntent, actions.create_intent),
            get("/v1/payment_intents/{id}", self._retrieve_intent),
            post("/v1/payment_intents/{id}/confirm", requests.ConfirmIntent, actions.confirm_intent),
            post("/v1/payment_intents/{id}/capture", requests.CaptureIntent, actions.capture_intent),
            post("/v1/payment_intents/{id}/cancel", requests.CancelIntent, actions.cancel_intent),
            get("/v1/refunds", self._list_refunds),
            post("/v1/refunds", requests.CreateRefund, actions.create_refund),
            get("/v1/refunds/{id}", partial(self._retrieve, "refund")),
            get("/v1/events", self._list_events),
            get("/v1/events/{id}", partial(self._retrieve, "event")),
            Route("/{path:path}", self._answering(_unknown), methods=list(HTTPMethod)),
        ]

    def _get(self, path: str, question: Callable[[Request], Awaitable[Json]]) -> Route:
        async def answer(request: Request) -> Response:
            return JSONResponse(await question(request))

        return Route(path, self._answering(answer), methods=["GET"])

    def _post(self, path: str, model: type[requests.Request], act: Callable[..., Json]) -> Route:
        async def answer(request: Request) -> Response:
            form = await request.form()
            fields = requests.nested((name, str(value)) for name, value in form.multi_items())
            params = requests.read(model, fields)
            return await self._mutate(request, fields=fields, act=partial(_act, act, request.path_params, params))

        return Route(path, self._answering(answer), methods=["POST"])

    def _answering(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Check the key of the account, and turn errors into Stripe's."""

        async def endpoint(request: Request) -> Response:
            try:
                await self._require_api_key(request)
                return await answer(request)
            except StripeError as error:
                return JSONResponse(error.body(), error.status)

        return endpoint

    async def _require_api_key(self, request: Request) -> None:
        shown = _shown_api_key(request.headers.get("authorization", ""))
        if not hmac.compare_digest(shown.encode(), (await self._api_key()).encode()):
            raise errors.wrong_api_key(shown)

    async def _mutate(self, request: Request, *, fields: Json, act: Callable[[Call], Json]) -> Response:
        fault = self._faults.on_request(request.method, request.url.path)
        if fault is RequestFault.RATE_LIMITED:
            raise errors.rate_limited()
        key = request.headers.get("idempotency-key", f"none-{secrets.token_hex(16)}")
        held = await self._store.write(
            partial(
                idempotency.claim,
                key=key,
                endpoint=request.url.path,
                fields=fields,
                now=self._clock.now().timestamp(),
            )
        )
        if isinstance(held, Answer):
            return JSONResponse(held.body, held.status, {"idempotent-replayed": "true"})
        await asyncio.sleep(cards.delay_seconds(fields.get("payment_method")))
        answer = await self._store.write(partial(self._settle, claim=held, act=act))
        self._sender.wake()
        if fault is RequestFault.ERROR_AFTER_COMMIT:
            raise errors.server_error()
        if fault is RequestFault.HANG_AFTER_COMMIT:
            await asyncio.sleep(self._faults.hang_seconds)
        return JSONResponse(answer.body, answer.status)

    def _settle(self, tx: Tx, *, claim: Claim, act: Callable[[Call], Json]) -> Answer:
        idempotency.require_still_ours(tx, claim)
        now = self._clock.now().timestamp()
        call = Call(
            tx=tx,
            now=int(now),
            webhook_due_at=now + self._faults.webhook_delay_seconds,
            page_url=self._page_url,
            idempotency_key=claim.key,
        )
        try:
            answer = Answer(status=200, body=act(call))
        except StripeError as error:
            answer = Answer(status=error.status, body=error.body())
        idempotency.keep(tx, claim, answer)
        return answer

    async def _retrieve_intent(self, request: Request) -> Json:
        intent = await self._store.read(partial(actions.get_intent, intent_id=request.path_params["id"]))
        return intent.wire()

    async def _retrieve(self, kind: Literal["refund", "event"], request: Request) -> Json:
        found = await self._store.read(partial(store.find_object, table=kind, object_id=request.path_params["id"]))
        if found is None:
            raise errors.no_such(kind, request.path_params["id"], param="id")
        return found

    async def _list_intents(self, request: Request) -> Json:
        page = requests.read(requests.Page, _query(request))
        bodies, has_more = await self._store.read(partial(store.list_page, table="intent", page=page))
        return _listing(request, [Intent.model_validate_json(body).wire() for body in bodies], has_more=has_more)

    async def _list_refunds(self, request: Request) -> Json:
        page = requests.read(requests.RefundPage, _query(request))
        question = partial(store.list_page, table="refund", page=page, payment_intent=page.payment_intent)
        bodies, has_more = await self._store.read(question)
        return _listing(request, [json.loads(body) for body in bodies], has_more=has_more)

    async def _list_events(self, request: Request) -> Json:
        page = requests.read(requests.Page, _query(request))
        bodies, has_more = await self._store.read(partial(store.list_page, table="event", page=page))
        return _listing(request, [json.loads(body) for body in bodies], has_more=has_more)


def _act(act: Callable[..., Json], path_params: dict[str, str], params: requests.Request, call: Call) -> Json:
    return act(call, *path_params.values(), params)


async def _unknown(request: Request) -> Response:
    raise errors.unknown_url(request.method, request.url.path)


def _query(request: Request) -> Json:
    return requests.nested(request.query_params.multi_items())


def _listing(request: Request, objects: list[Json], *, has_more: bool) -> Json:
    return {"object": "list", "url": request.url.path, "has_more": has_more, "data": objects}


def _shown_api_key(authorization: str) -> str:
    """Read the key from `Bearer <key>` or `Basic <key>:` (docs.stripe.com/api/authentication)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return credentials
    try:
        return b64decode(credentials).decode().partition(":")[0]
    except (Base64Error, UnicodeDecodeError):
        return ""

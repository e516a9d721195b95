"""The routes of the fake `/v1`: authentication, idempotency, form bodies in, Stripe's JSON out.

The first result of an idempotency key is stored and replayed, whatever it was, for 24 hours. Nothing is stored when the
parameters do not pass validation, or when a twin is in flight. A key used for something else is refused.

Sources: docs.stripe.com/api and docs.stripe.com/api/idempotent_requests.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from http import HTTPMethod
from typing import Final, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from fairground.kernel.zones import Clock
from fairground.sandbox.stripe import cards, intents, payment_methods, protocol, store
from fairground.sandbox.stripe.calls import Call
from fairground.sandbox.stripe.intents import Intent
from fairground.sandbox.stripe.protocol import Json, StripeError
from fairground.sandbox.stripe.store import SandboxStore, Tx
from fairground.sandbox.stripe.webhooks import WebhookSender

KEPT_SECONDS: Final = 24 * 60 * 60
# Longer than any call takes. A process that dies in the middle leaves the key locked for this long.
LOCK_SECONDS: Final = 15.0
_KEY_MAX_LENGTH: Final = 255
# What a publishable key allows (docs.stripe.com/keys): it makes payment methods, and reads and changes nothing.
_OPEN_TO_BROWSERS: Final = frozenset({("POST", "/v1/payment_methods")})


class RequestFault(StrEnum):
    """A fault of one request, which only tests inject."""

    RATE_LIMITED = "rate_limited"
    """429; nothing happens."""
    ERROR_AFTER_COMMIT = "error_after_commit"
    """The request takes effect and its result is kept, and the caller reads 500. A replay reads the true result."""
    HANG_AFTER_COMMIT = "hang_after_commit"
    """The request takes effect and its result is kept, and the answer comes `hang_seconds` too late."""


FaultOf = Callable[[str, str], RequestFault | None]
"""Called with method and path, once for each request."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Json


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to do the work of a key, until another request takes it over."""

    key: str
    token: str


class StripeAPI:
    """`/v1` as an ASGI application, in `app`."""

    def __init__(
        self,
        *,
        store: SandboxStore,
        api_key: Callable[[], Awaitable[str]],
        publishable_key: Callable[[], Awaitable[str]],
        page_url: str,
        clock: Clock,
        sender: WebhookSender,
        fault_of: FaultOf,
        hang_seconds: float,
        webhook_delay_seconds: float,
    ) -> None:
        self._store = store
        self._api_key = api_key
        self._publishable_key = publishable_key
        self._page_url = page_url
        self._clock = clock
        self._sender = sender
        self._fault_of = fault_of
        self._hang_seconds = hang_seconds
        self._webhook_delay_seconds = webhook_delay_seconds
        self.app = Starlette(routes=self._routes())

    def _routes(self) -> list[Route]:
        get, post = self._get, self._post
        return [
            get("/v1/payment_intents", self._list_intents),
            post("/v1/payment_intents", protocol.CreateIntent, intents.create_intent),
            get("/v1/payment_intents/{id}", self._retrieve_intent),
            post("/v1/payment_intents/{id}/confirm", protocol.ConfirmIntent, intents.confirm_intent),
            post("/v1/payment_intents/{id}/capture", protocol.CaptureIntent, intents.capture_intent),
            post("/v1/payment_intents/{id}/cancel", protocol.CancelIntent, intents.cancel_intent),
            post("/v1/payment_methods", protocol.CreatePaymentMethod, payment_methods.create_payment_method),
            get("/v1/refunds", self._list_refunds),
            post("/v1/refunds", protocol.CreateRefund, intents.create_refund),
            get("/v1/refunds/{id}", partial(self._retrieve, "refund")),
            get("/v1/events", self._list_events),
            get("/v1/events/{id}", partial(self._retrieve, "event")),
            Route("/{path:path}", self._guarded(_unknown), methods=list(HTTPMethod)),
        ]

    def _get(self, path: str, question: Callable[[Request], Awaitable[Json]]) -> Route:
        async def answer(request: Request) -> Response:
            return JSONResponse(await question(request))

        return Route(path, self._guarded(answer), methods=["GET"])

    def _post(self, path: str, model: type[protocol.Request], action: Callable[..., Json]) -> Route:
        async def answer(request: Request) -> Response:
            form = await request.form()
            fields = protocol.nested((name, str(value)) for name, value in form.multi_items())
            params = protocol.read(model, fields)
            return await self._mutate(
                request, fields=fields, action=partial(_apply, action, request.path_params, params)
            )

        return Route(path, self._guarded(answer), methods=["POST"])

    def _guarded(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Check the key of the account, and turn errors into Stripe's."""

        async def endpoint(request: Request) -> Response:
            try:
                await self._require_api_key(request)
                return await answer(request)
            except StripeError as error:
                return JSONResponse(error.body(), error.status)

        return endpoint

    async def _require_api_key(self, request: Request) -> None:
        shown = _read_api_key(request.headers.get("authorization", ""))
        known = [await self._api_key()]
        if (request.method, request.url.path) in _OPEN_TO_BROWSERS:
            known.append(await self._publishable_key())
        if not any(hmac.compare_digest(shown.encode(), key.encode()) for key in known):
            raise protocol.wrong_api_key(shown)

    async def _mutate(self, request: Request, *, fields: Json, action: Callable[[Call], Json]) -> Response:
        fault = self._fault_of(request.method, request.url.path)
        if fault is RequestFault.RATE_LIMITED:
            raise protocol.rate_limited()
        key = request.headers.get("idempotency-key", f"none-{secrets.token_hex(16)}")
        held = await self._store.write(
            partial(
                claim_key,
                key=key,
                endpoint=request.url.path,
                fields=fields,
                now=self._clock.now().timestamp(),
            )
        )
        if isinstance(held, Answer):
            return JSONResponse(held.body, held.status, {"idempotent-replayed": "true"})
        await asyncio.sleep(cards.delay_seconds(fields.get("payment_method")))
        answer = await self._store.write(partial(self._run_action, claim=held, action=action))
        self._sender.wake()
        if fault is RequestFault.ERROR_AFTER_COMMIT:
            raise protocol.server_error()
        if fault is RequestFault.HANG_AFTER_COMMIT:
            await asyncio.sleep(self._hang_seconds)
        return JSONResponse(answer.body, answer.status)

    def _run_action(self, tx: Tx, *, claim: Claim, action: Callable[[Call], Json]) -> Answer:
        require_claim(tx, claim)
        now = self._clock.now().timestamp()
        call = Call(
            tx=tx,
            now=int(now),
            webhook_due_at=now + self._webhook_delay_seconds,
            page_url=self._page_url,
            idempotency_key=claim.key,
        )
        try:
            answer = Answer(status=200, body=action(call))
        except StripeError as error:
            answer = Answer(status=error.status, body=error.body())
        keep_answer(tx, claim, answer)
        return answer

    async def _retrieve_intent(self, request: Request) -> Json:
        params = protocol.read(protocol.RetrieveIntent, _query(request))
        question = partial(intents.retrieve_intent, intent_id=request.path_params["id"], params=params)
        return await self._store.read(question)

    async def _retrieve(self, kind: Literal["refund", "event"], request: Request) -> Json:
        found = await self._store.read(partial(store.find_object, table=kind, object_id=request.path_params["id"]))
        if found is None:
            raise protocol.no_such(kind, request.path_params["id"], param="id")
        return found

    async def _list_intents(self, request: Request) -> Json:
        page = protocol.read(protocol.Page, _query(request))
        bodies, has_more = await self._store.read(partial(store.list_page, table="intent", page=page))
        return _listing(request, [Intent.model_validate_json(body).wire() for body in bodies], has_more=has_more)

    async def _list_refunds(self, request: Request) -> Json:
        page = protocol.read(protocol.RefundPage, _query(request))
        question = partial(store.list_page, table="refund", page=page, payment_intent=page.payment_intent)
        bodies, has_more = await self._store.read(question)
        return _listing(request, [json.loads(body) for body in bodies], has_more=has_more)

    async def _list_events(self, request: Request) -> Json:
        page = protocol.read(protocol.Page, _query(request))
        bodies, has_more = await self._store.read(partial(store.list_page, table="event", page=page))
        return _listing(request, [json.loads(body) for body in bodies], has_more=has_more)


def _apply(action: Callable[..., Json], path_params: dict[str, str], params: protocol.Request, call: Call) -> Json:
    return action(call, *path_params.values(), params)


async def _unknown(request: Request) -> Response:
    raise protocol.unknown_url(request.method, request.url.path)


def _query(request: Request) -> Json:
    return protocol.nested(request.query_params.multi_items())


def _listing(request: Request, objects: list[Json], *, has_more: bool) -> Json:
    return {"object": "list", "url": request.url.path, "has_more": has_more, "data": objects}


def _read_api_key(authorization: str) -> str:
    """Read the key from `Bearer <key>` or `Basic <key>:` (docs.stripe.com/api/authentication)."""
    scheme, _, credentials = authorization.partition(" ")
    if scheme.lower() != "basic":
        return credentials
    try:
        return b64decode(credentials).decode().partition(":")[0]
    except (Base64Error, UnicodeDecodeError):
        return ""


def _fingerprint(fields: Json) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def claim_key(tx: Tx, *, key: str, endpoint: str, fields: Json, now: float) -> Claim | Answer:
    """Take the key, or return the result it already has.

    Raises:
        StripeError: 400 for a key of another request; 409 while its twin is in flight.
    """
    if not key or len(key) > _KEY_MAX_LENGTH:
        raise protocol.invalid(f"Idempotency keys are 1 to {_KEY_MAX_LENGTH} characters long.")
    tx.execute("DELETE FROM idempotency_key WHERE key = ? AND created < ?", (key, now - KEPT_SECONDS))
    held = tx.execute(
        "SELECT endpoint, fingerprint, locked_until, status, body FROM idempotency_key WHERE key = ?", (key,)
    ).fetchone()
    if held is not None:
        held_endpoint, held_fingerprint, locked_until, status, body = held
        if (held_endpoint, held_fingerprint) != (endpoint, _fingerprint(fields)):
            raise _other_request(key)
        if status is not None:
            return Answer(status=status, body=json.loads(body))
        if locked_until > now:
            raise _in_flight(key)
    token = secrets.token_hex(8)
    tx.execute(
        "INSERT OR REPLACE INTO idempotency_key (key, endpoint, fingerprint, created, claim, locked_until) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (key, endpoint, _fingerprint(fields), now, token, now + LOCK_SECONDS),
    )
    return Claim(key=key, token=token)


def require_claim(tx: Tx, claim: Claim) -> None:
    """Raise when the lock has lapsed and a twin has taken the key."""
    row = tx.execute("SELECT claim, status FROM idempotency_key WHERE key = ?", (claim.key,)).fetchone()
    if row != (claim.token, None):
        raise _in_flight(claim.key)


def keep_answer(tx: Tx, claim: Claim, answer: Answer) -> None:
    """Store the result beside its effect, in the same transaction."""
    tx.execute(
        "UPDATE idempotency_key SET status = ?, body = ?, claim = NULL, locked_until = NULL WHERE key = ?",
        (answer.status, json.dumps(answer.body), claim.key),
    )


def _other_request(key: str) -> StripeError:
    message = (
        "Keys for idempotent requests can only be used with the same parameters they were first used with. "
        f"Try using a key other than '{key}' if you meant to execute a different request."
    )
    return StripeError(400, {"type": "idempotency_error", "message": message})


def _in_flight(key: str) -> StripeError:
    message = f"There is currently another in-progress request using this Idempotent Key: {key}. Try again later."
    return protocol.invalid(message, status=409, code="idempotency_key_in_use")

"""Puts payments together, with Stripe or with the sandbox."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final

import httpx
from fastapi import APIRouter
from pydantic import SecretStr

from fairground.contracts.payments import CardFields, Payments
from fairground.contracts.staff_payments import StaffPayments
from fairground.kernel.errors import DomainError
from fairground.kernel.zones import Clock
from fairground.modules.payments import http
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.gateways.stripe import StripeAccount, StripeProcessor
from fairground.modules.payments.service import BrowserAccess, build_service
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import ExecuteOpenOperations
from fairground.modules.payments.service.payment_state import CancelOrphanedIntent
from fairground.modules.payments.service.reconciliation import Reconcile, Reconciliation
from fairground.modules.payments.service.refunds import Refunds
from fairground.modules.payments.service.staff import StaffPaymentService
from fairground.modules.payments.service.webhooks import ApplyEvent, WebhookInbox
from fairground.modules.payments.settings import PaymentsSettings
from fairground.modules.payments.tables import history
from fairground.platform.db.database import Database
from fairground.platform.http.app import API_PREFIX
from fairground.platform.http.problems import status_of
from fairground.platform.module import Links, Module, Schedule
from fairground.runtime import Runtime
from fairground.sandbox.stripe.sandbox import Faults, StripeSandbox

STRIPE_URL: Final = "https://api.stripe.com"
# The script of the version that the adapter speaks (docs.stripe.com/sdks/stripejs-versioning), and the origins that
# docs.stripe.com/security/guide#content-security-policy lists, without those of wallets and addresses: we show neither.
STRIPE_SCRIPT: Final = "/endive/stripe.js"
_SCRIPT_ORIGIN: Final = "https://js.stripe.com"
_SCRIPT_ORIGINS: Final = (_SCRIPT_ORIGIN, "https://*.js.stripe.com")
_BANK_ORIGIN: Final = "https://*.stripe.com"
_REDIRECT_FRAMES: Final = "https://hooks.stripe.com"
SANDBOX_FILE: Final = "payments-sandbox.db"
_ACCEPTED: Final = 200
_EVERY: Final = timedelta(hours=1)


def build(runtime: Runtime, links: Links) -> Module:
    settings = runtime.settings.of(PaymentsSettings)
    if settings.stripe_api_key and settings.stripe_webhook_secret:
        account = _OwnAccount(settings.stripe_api_key, settings.stripe_webhook_secret)
        return _with_stripe(runtime, links, settings, account)
    return _with_sandbox(runtime, links, settings)


class _OwnAccount:
    """The account at Stripe whose secrets are in the settings."""

    def __init__(self, api_key: SecretStr, webhook_secret: SecretStr) -> None:
        self._api_key = api_key
        self._webhook_secret = webhook_secret

    async def api_key(self) -> str:
        return self._api_key.get_secret_value()

    async def webhook_secret(self) -> str:
        return self._webhook_secret.get_secret_value()


def _with_stripe(runtime: Runtime, links: Links, settings: PaymentsSettings, account: StripeAccount) -> Module:
    url = settings.stripe_test_server or STRIPE_URL
    client = httpx.AsyncClient(base_url=url, timeout=settings.request_timeout_seconds)
    processor = _processor(client, account, settings, clock=runtime.clock)
    inbox = WebhookInbox(db=runtime.db, processor=processor)
    return _module(runtime.db, links, processor, inbox, browser=_browser_access(settings), stop=client.aclose)


def _browser_access(settings: PaymentsSettings) -> BrowserAccess:
    server, key = settings.stripe_test_server, settings.stripe_publishable_key
    fields = key and CardFields(
        publishable_key=key,
        script_url=(server or _SCRIPT_ORIGIN) + STRIPE_SCRIPT,
        script_origins=(server,) if server else _SCRIPT_ORIGINS,
        frame_origins=(server,) if server else (*_SCRIPT_ORIGINS, _REDIRECT_FRAMES),
        connection_origins=(server or STRIPE_URL,),
    )
    return BrowserAccess(is_sandbox=False, bank_origin=server or _BANK_ORIGIN, card_fields=fields or None)


def _with_sandbox(runtime: Runtime, links: Links, settings: PaymentsSettings) -> Module:
    async def deliver(body: bytes, headers: dict[str, str]) -> int:
        try:
            await inbox.receive(body=body, headers=headers)
        except DomainError as refusal:
            return status_of(refusal)
        return _ACCEPTED

    sandbox = StripeSandbox(
        path=runtime.data_dir / SANDBOX_FILE,
        pages_url=runtime.public_url + API_PREFIX,
        deliver=deliver,
        clock=runtime.clock,
        faults=Faults(),
    )
    transport = httpx.ASGITransport(sandbox.api, raise_app_exceptions=False)
    processor = _processor(
        httpx.AsyncClient(base_url=STRIPE_URL, transport=transport), sandbox, settings, clock=runtime.clock
    )
    inbox = WebhookInbox(db=runtime.db, processor=processor)
    pages = APIRouter(routes=sandbox.page_routes)
    # The page of 3-D Secure is below the public address, which a reader on "localhost" is not on.
    browser = BrowserAccess(is_sandbox=True, bank_origin=runtime.public_url)
    return _module(
        runtime.db, links, processor, inbox, browser=browser, pages=[pages], start=sandbox.start, stop=sandbox.stop
    )


def _processor(
    client: httpx.AsyncClient, account: StripeAccount, settings: PaymentsSettings, *, clock: Clock
) -> PaymentProcessor:
    timeout_seconds = settings.request_timeout_seconds
    return StripeProcessor(client=client, account=account, clock=clock, timeout_seconds=timeout_seconds)


def _module(
    db: Database,
    links: Links,
    processor: PaymentProcessor,
    inbox: WebhookInbox,
    *,
    browser: BrowserAccess,
    pages: Sequence[APIRouter] = (),
    start: Callable[[], Awaitable[None]] | None = None,
    stop: Callable[[], Awaitable[None]],
) -> Module:
    executor = OperationExecutor(db=db, processor=processor)
    links.provide(Payments, build_service(db=db, processor=processor, executor=executor, browser=browser))
    staff = StaffPaymentService(db=db, refunds=Refunds(db=db, executor=executor))
    links.provide(StaffPayments, staff)
    reconciliation = Reconciliation(db=db, processor=processor, executor=executor, inbox=inbox)
    return Module(
        name="payments",
        history=history,
        routers=[*http.routes(inbox, staff), *pages],
        handlers={
            ExecuteOpenOperations: reconciliation.execute_open,
            ApplyEvent: inbox.apply_event,
            CancelOrphanedIntent: reconciliation.cancel_orphaned_intent,
            Reconcile: reconciliation.run,
        },
        schedules=[Schedule(job=Reconcile(), every=_EVERY, runs_at_start=True)],
        start=start,
        stop=stop,
    )

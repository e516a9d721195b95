"""Payments on a real database and the sandbox, with real jobs; a test sets the time and the sandbox's faults."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy import select
from starlette.applications import Starlette

from fairground.contracts.payments import (
    Payment,
    PaymentAuthorised,
    PaymentCaptured,
    PaymentFailedEvent,
    PaymentReleased,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.messages import Event
from fairground.modules.payments.gateways.processor import PaymentProcessor
from fairground.modules.payments.gateways.stripe import StripeProcessor
from fairground.modules.payments.service import BrowserAccess, PaymentService, build_service
from fairground.modules.payments.service.operation_executor import OperationExecutor
from fairground.modules.payments.service.operations import ExecuteOpenOperations
from fairground.modules.payments.service.payment_state import CancelOrphanedIntent
from fairground.modules.payments.service.reconciliation import Reconcile, Reconciliation
from fairground.modules.payments.service.webhooks import ApplyEvent, WebhookInbox
from fairground.modules.payments.tables import AttemptRow
from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import Routes
from fairground.platform.jobs.runner import drain
from fairground.sandbox.stripe.api import RequestFault
from fairground.sandbox.stripe.sandbox import Faults, StripeSandbox

AMOUNT = 12_000


class ShiftedClock:
    """Real time, moved by the test together with the database's."""

    def __init__(self) -> None:
        self.shift = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.shift


@dataclass
class FaultPlan:
    """The next faults of the sandbox, one for each request whose path ends with `path_end`."""

    path_end: str = ""
    faults: list[RequestFault] = field(default_factory=list)

    def next(self, method: str, path: str) -> RequestFault | None:
        return self.faults.pop(0) if self.faults and method == "POST" and path.endswith(self.path_end) else None

    def set(self, *faults: RequestFault, path_end: str = "") -> None:
        self.path_end, self.faults = path_end, list(faults)


def payments_with(processor: PaymentProcessor, *, db: Database) -> PaymentService:
    executor = OperationExecutor(db=db, processor=processor)
    browser = BrowserAccess(is_sandbox=True, bank_origin="http://shop.test")
    return build_service(db=db, processor=processor, executor=executor, browser=browser)


class Market:
    """All of payments, and the events that it emitted."""

    def __init__(self, db: Database, routes: Routes, folder: Path, *, timeout_seconds: float = 2) -> None:
        self.db = db
        self.routes = routes
        self.clock = ShiftedClock()
        self.faults = FaultPlan()
        self.events: list[Event] = []
        self.sandbox = StripeSandbox(
            path=folder / "sandbox.db",
            pages_url="http://shop.test",
            deliver=self._deliver,
            clock=self.clock,
            faults=Faults(on_request=self.faults.next),
        )
        transport = httpx.ASGITransport(self.sandbox.api, raise_app_exceptions=False)
        self.stripe = httpx.AsyncClient(base_url="http://stripe.test", transport=transport)
        self.processor = StripeProcessor(
            client=self.stripe, account=self.sandbox, clock=self.clock, timeout_seconds=timeout_seconds
        )
        self.payments = payments_with(self.processor, db=db)
        self.inbox = WebhookInbox(db=db, processor=self.processor)
        executor = OperationExecutor(db=db, processor=self.processor)
        self.reconciliation = Reconciliation(db=db, processor=self.processor, executor=executor, inbox=self.inbox)
        self._route()

    def _route(self) -> None:
        self.routes.add(
            "payments",
            handlers={
                ExecuteOpenOperations: self.reconciliation.execute_open,
                ApplyEvent: self.inbox.apply_event,
                CancelOrphanedIntent: self.reconciliation.cancel_orphaned_intent,
                Reconcile: self.reconciliation.run,
            },
        )
        events = (PaymentAuthorised, PaymentCaptured, PaymentFailedEvent, PaymentReleased)
        self.routes.add("listener", handlers=dict.fromkeys(events, self._listen))

    async def _listen(self, event: Event) -> None:
        self.events.append(event)

    async def _deliver(self, body: bytes, headers: dict[str, str]) -> int:
        try:
            await self.inbox.receive(body=body, headers=headers)
        except DomainError:
            return 422
        return 200

    async def authorise(self, reference_id: UUID, *, card: str = "pm_card_visa", amount: int = AMOUNT) -> Payment:
        return await self.payments.authorise(
            reference_id=reference_id,
            payer_id=uuid4(),
            amount_minor=amount,
            currency="EUR",
            payment_method=card,
            return_url="http://shop.test/return",
        )

    async def captured(self, *, amount: int = AMOUNT) -> Payment:
        reference_id = uuid4()
        await self.authorise(reference_id, amount=amount)
        return await self.payments.capture(reference_id=reference_id)

    async def work(self) -> None:
        """Do every job that is due now."""
        await drain(self.db, routes=self.routes)

    def move(self, shift: timedelta) -> None:
        self.clock.shift += shift
        self.db.clock_shift += shift

    async def outcomes(self, payment: Payment) -> list[tuple[str, str]]:
        return [(row.act, row.outcome) for row in await self._attempts(payment)]

    async def keys(self, payment: Payment) -> set[UUID]:
        return {row.key for row in await self._attempts(payment)}

    async def _attempts(self, payment: Payment) -> Sequence[Any]:
        attempts = select(*AttemptRow.__table__.columns).where(AttemptRow.payment_id == payment.id)
        async with self.db.read() as tx:
            return await tx.all(attempts.order_by(AttemptRow.id))

    async def open_page(self, url: str, *, outcome: str | None = None) -> httpx.Response:
        """Open the bank's page of 3-D Secure as the customer does, or press one of its buttons."""
        pages = httpx.ASGITransport(Starlette(routes=self.sandbox.page_routes))
        async with httpx.AsyncClient(transport=pages) as browser:
            return await (browser.get(url) if outcome is None else browser.post(url, data={"outcome": outcome}))

    async def get(self, path: str) -> Any:
        """Ask the sandbox, as its owner would on the dashboard."""
        return (await self.stripe.get(path, headers=await self._proof())).raise_for_status().json()

    async def post(self, path: str, form: dict[str, Any]) -> Any:
        return (await self.stripe.post(path, data=form, headers=await self._proof())).raise_for_status().json()

    async def intents(self) -> list[Any]:
        return list((await self.get("/v1/payment_intents?limit=100"))["data"])

    async def close(self) -> None:
        await self.stripe.aclose()
        await self.sandbox.stop()

    async def _proof(self) -> dict[str, str]:
        return {"authorization": f"Bearer {await self.sandbox.api_key()}"}

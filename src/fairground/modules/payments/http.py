"""The routes of payments: webhooks of the card processor, and payments as staff see them."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from fairground.contracts.payments import PaymentNotFound, PaymentStatus
from fairground.contracts.staff_payments import StaffPaymentDetail, StaffPaymentPage, StaffPayments
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid
from fairground.modules.payments.service.webhooks import WebhookInbox
from fairground.platform.http.identity import Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class Received(BaseModel):
    received: bool = True


class PaymentSearchQuery(BaseModel):
    model_config = ConfigDict(frozen=True)

    words: str = Field("", max_length=255, description="The id of a payment, of a booking, or the processor's id.")
    status: PaymentStatus | None = None
    from_date: date | None = Field(None, description="The first day on which the payment was begun, in UTC.")
    to_date: date | None = Field(None, description="The last one.")
    limit: int = Field(default=20, ge=1, le=100)
    cursor: str | None = Field(default=None, max_length=CURSOR_MAX_LENGTH)


def routes(inbox: WebhookInbox, staff: StaffPayments) -> list[APIRouter]:
    return [_webhook_routes(inbox), _staff_routes(staff)]


def _webhook_routes(inbox: WebhookInbox) -> APIRouter:
    router = api_router(tags=["payments"], honours_idempotency_key=False)

    @router.post("/webhooks/stripe")
    async def receive_webhook(request: Request) -> Received:
        """Receive a Stripe webhook (signed with the Stripe-Signature header, docs.stripe.com/webhooks).

        Stores the event, responds at once and processes it in the background. Repeated events are ignored.
        """
        await inbox.receive(body=await request.body(), headers=request.headers)
        return Received()

    return router


def _staff_routes(staff: StaffPayments) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/payments")
    @refuses(CursorInvalid)
    async def search_payments(_caller: Staff, query: Annotated[PaymentSearchQuery, Query()]) -> StaffPaymentPage:
        """Search payments, the newest first."""
        return await staff.search_payments(**query.model_dump())

    @router.get("/admin/payments/{payment_id}")
    @refuses(PaymentNotFound)
    async def get_payment_for_staff(payment_id: UUID, _caller: Staff) -> StaffPaymentDetail:
        """Return a payment with its operations, its refunds and the events of the processor about it."""
        return await staff.get_payment_for_staff(payment_id=payment_id)

    return router

"""The route of the card processor's webhooks."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from fairground.modules.payments.service.webhooks import WebhookInbox
from fairground.platform.http.routing import api_router


class Received(BaseModel):
    received: bool = True


def routes(inbox: WebhookInbox) -> APIRouter:
    router = api_router(tags=["payments"], honours_idempotency_key=False)

    @router.post("/webhooks/stripe")
    async def receive_webhook(request: Request) -> Received:
        """Receive a Stripe webhook (signed with the Stripe-Signature header, docs.stripe.com/webhooks).

        Stores the event, responds at once and processes it in the background. Repeated events are ignored.
        """
        await inbox.receive(body=await request.body(), headers=request.headers)
        return Received()

    return router

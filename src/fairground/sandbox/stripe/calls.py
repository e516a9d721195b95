"""A call that changes objects of the fake: its circumstances, the ids that it draws, the events that it leaves."""

import secrets
import string
from dataclasses import dataclass
from typing import Final

from fairground.sandbox.stripe import store
from fairground.sandbox.stripe.protocol import Json
from fairground.sandbox.stripe.store import Tx

API_VERSION: Final = "2026-10-28.endive"
_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, kw_only=True)
class Call:
    """The circumstances of a mutation, beside its parameters. Times are Unix seconds."""

    tx: Tx
    now: int
    webhook_due_at: float
    page_url: str
    idempotency_key: str | None = None


def new_id(prefix: str) -> str:
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(24))


def add_event(call: Call, kind: str, shown: Json) -> None:
    """Store an event about an object as it is shown; its webhook is sent after the call."""
    event = {
        "id": new_id("evt_"), "object": "event", "type": kind, "created": call.now, "api_version": API_VERSION,
        "data": {"object": shown}, "livemode": False, "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": call.idempotency_key},
    }  # fmt: skip
    store.insert_event(call.tx, event, due_at=call.webhook_due_at)

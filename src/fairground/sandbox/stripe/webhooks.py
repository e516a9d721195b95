"""Webhooks: signed, sent at least once, tried again with growing pauses for three days.

Sources: docs.stripe.com/webhooks (retries, order) and docs.stripe.com/webhooks/signature (the header).
"""

import asyncio
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from fairground.kernel.zones import Clock
from fairground.platform.background_loops import repeat, wait
from fairground.sandbox.stripe import store
from fairground.sandbox.stripe.store import SandboxStore

log = structlog.get_logger(__name__)

Deliver = Callable[[bytes, dict[str, str]], Awaitable[int]]
"""Posts a body with headers to the marketplace; returns the HTTP status, or 0 when there was no answer."""

# A process that dies between taking an event and recording its delivery delays the event by this.
LEASE_SECONDS: Final = 30.0
POLL_SECONDS: Final = 1.0
_BATCH: Final = 20
_FIRST_PAUSE_SECONDS: Final = 1.0
_LONGEST_PAUSE_SECONDS: Final = 60.0 * 60
_GIVE_UP_AFTER_SECONDS: Final = 3 * 24 * 60 * 60.0


@dataclass(frozen=True, kw_only=True)
class Delivery:
    event_id: str
    body: bytes
    attempt: int

    @property
    def created(self) -> int:
        created: int = json.loads(self.body)["created"]
        return created


def sign(body: bytes, *, secret: str, at: int) -> str:
    """Return the Stripe-Signature header of a body sent at `at`, in Unix seconds."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def pause_seconds(attempt: int) -> float:
    """Return how long to wait after the given failed try, the first being 1."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** (attempt - 1), _LONGEST_PAUSE_SECONDS)


class WebhookSender:
    """Sends due webhooks. Any process may run one: it takes events under a lease, and they are due again if it dies."""

    def __init__(
        self,
        *,
        store: SandboxStore,
        secret: Callable[[], Awaitable[str]],
        deliver: Deliver,
        clock: Clock,
        rearrange: Callable[[Sequence[Delivery]], Sequence[Delivery]],
    ) -> None:
        self._store = store
        self._secret = secret
        self._deliver = deliver
        self._clock = clock
        self._rearrange = rearrange
        self._wake = asyncio.Event()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Send until `stop` is called."""
        await repeat(self._send_or_rest, until=self._stopping)

    def wake(self) -> None:
        """Send the new event of this process at once; events of other processes are found by polling."""
        self._wake.set()

    def stop(self) -> None:
        """Let `run` return after the delivery of the current event is recorded."""
        self._stopping.set()
        self._wake.set()

    async def send_due(self) -> int:
        """Send every webhook that is due now, each once, and return how many events were taken."""
        claim = partial(
            store.claim_due_events, now=self._clock.now().timestamp(), lease_seconds=LEASE_SECONDS, limit=_BATCH
        )
        taken = [Delivery(event_id=i, body=b.encode(), attempt=n) for i, b, n in await self._store.write(claim)]
        chosen = self._rearrange(taken)
        for delivery in chosen:
            await self._send(delivery)
        for lost in {delivery.event_id for delivery in taken} - {delivery.event_id for delivery in chosen}:
            await self._record_delivery(lost, due_at=None)
        return len(taken)

    async def _send_or_rest(self) -> float:
        self._wake.clear()
        if not await self.send_due():
            await wait(self._wake, seconds=POLL_SECONDS)
        return 0

    async def _send(self, delivery: Delivery) -> None:
        now = self._clock.now().timestamp()
        signature = sign(delivery.body, secret=await self._secret(), at=int(now))
        status = await self._deliver(delivery.body, {"content-type": "application/json", "stripe-signature": signature})
        if 200 <= status < 300:  # noqa: PLR2004 - the class of success
            await self._record_delivery(delivery.event_id, due_at=None)
            return
        log.warning("payments.sandbox_webhook_refused", event_id=delivery.event_id, status=status)
        old = now - delivery.created > _GIVE_UP_AFTER_SECONDS
        await self._record_delivery(delivery.event_id, due_at=None if old else now + pause_seconds(delivery.attempt))

    async def _record_delivery(self, event_id: str, *, due_at: float | None) -> None:
        await self._store.write(partial(store.record_delivery, event_id=event_id, due_at=due_at))

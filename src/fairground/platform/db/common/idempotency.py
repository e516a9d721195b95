"""At most one effect for each Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07).

A request with a key claims a row before it starts. Its first write marks the row `effective` in the same transaction,
and its answer is stored last and replayed for 24 hours.

| row of a request that failed or died | next request with the key |
|---|---|
| `started`: nothing was committed | runs |
| `effective`: something was committed | never runs; it gets `idempotency.outcome_unknown` |

Both happen at once after an error, and 60 s after the start if the process died. The exception is an error that is
resumable (`DomainError.is_resumable`): the same request continues its own work, so its row is deleted. The row itself
decides which case it is, so a COMMIT whose answer was lost is covered as well.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select, update

from fairground.kernel.errors import Conflict, DomainError, Invalid
from fairground.kernel.ids import uuid7
from fairground.platform.db.common.tables import IdempotencyRow
from fairground.platform.db.database import Database, ReadTx, WriteTx

IN_FLIGHT_FOR: Final = timedelta(seconds=60)  # longer than any request may take
KEPT_FOR: Final = timedelta(hours=24)


class RequestInFlight(Conflict):
    code = "idempotency.in_flight"
    hint = "The first request with this key is still running. Try again in a moment."


class KeyReused(Invalid):
    code = "idempotency.key_reused"
    hint = "Use a new Idempotency-Key for a new request. A repeated request must be identical."


class OutcomeUnknown(Conflict):
    code = "idempotency.outcome_unknown"
    hint = "Check the current state, and use a new key if you still need the change."


@dataclass(frozen=True)
class Claim:
    """The right to carry out the request of a key."""

    actor_id: UUID
    key: str
    claim_id: UUID

    def row(self) -> Any:
        return (
            (IdempotencyRow.actor_id == self.actor_id)
            & (IdempotencyRow.key == self.key)
            & (IdempotencyRow.claim_id == self.claim_id)
        )


@dataclass(frozen=True)
class StoredAnswer:
    status: int
    body: bytes


_current: ContextVar[Claim | None] = ContextVar("idempotency_claim", default=None)


@contextmanager
def carrying_out(claim: Claim) -> Iterator[None]:
    """Mark the claim in the first transaction that is opened within."""
    token = _current.set(claim)
    try:
        yield
    finally:
        _current.reset(token)


async def claim_request(db: Database, *, actor_id: UUID, key: str, request_hash: str) -> Claim | StoredAnswer:
    """Claim the request of a key, or return its answer when there is one.

    Raises:
        RequestInFlight: Another process may be carrying it out.
        KeyReused: The key came with another request before.
        OutcomeUnknown: It took effect, but its answer was lost.
    """
    claim = Claim(actor_id=actor_id, key=key, claim_id=uuid7())
    async with db.write() as tx:
        started = {
            "actor_id": actor_id,
            "key": key,
            "request_hash": request_hash,
            "claim_id": claim.claim_id,
            "state": "started",
            "started_at": await tx.current_time(),
        }
        if await tx.insert_ignore(IdempotencyRow, [started]):
            return claim
        row = await _lock_row(tx, claim)
        if row is None or row.is_lapsed:
            await tx.upsert(
                IdempotencyRow,
                [started | {"status": None, "body": None}],
                key=("actor_id", "key"),
                update=("request_hash", "claim_id", "state", "started_at", "status", "body"),
            )
            return claim
        return _resolve_claim(row, request_hash)


async def _lock_row(tx: WriteTx, claim: Claim) -> Any:
    rows = await tx.lock(
        select(
            IdempotencyRow.request_hash,
            IdempotencyRow.state,
            IdempotencyRow.status,
            IdempotencyRow.body,
            _is_abandoned(tx).label("is_abandoned"),
            _is_lapsed(tx).label("is_lapsed"),
        ).where(IdempotencyRow.actor_id == claim.actor_id, IdempotencyRow.key == claim.key)
    )
    return rows[0] if rows else None


def _is_lapsed(tx: ReadTx) -> Any:
    """Return the condition of a row that may be overwritten: past its time, or abandoned before it had any effect."""
    is_without_effect = (IdempotencyRow.state == "started") & _is_abandoned(tx)
    return (IdempotencyRow.started_at < tx.now(-KEPT_FOR)) | is_without_effect


def _is_abandoned(tx: ReadTx) -> Any:
    # A start in the future was stored while the clock ran ahead. Taking such a request over is safe: the next write of
    # the first one finds another claim in the row and is refused.
    is_ahead = IdempotencyRow.started_at > tx.now(IN_FLIGHT_FOR)
    return (IdempotencyRow.started_at < tx.now(-IN_FLIGHT_FOR)) | is_ahead


def _resolve_claim(row: Any, request_hash: str) -> StoredAnswer:
    refusal: DomainError
    if row.request_hash != request_hash:
        refusal = KeyReused("This Idempotency-Key was already used with a different request.")
    elif row.state == "answered":
        return StoredAnswer(status=row.status, body=row.body)
    elif row.is_abandoned:
        refusal = OutcomeUnknown("The first request with this key succeeded, but its response was lost.")
    else:
        refusal = RequestInFlight("A request with this Idempotency-Key is still running.")
    raise refusal


async def mark_effective(tx: WriteTx) -> None:
    """Tie the transaction to the claim of the request it belongs to, if it belongs to one.

    Raises:
        RequestInFlight: Another request has taken the key over, or this one has been answered.
    """
    claim = _current.get()
    if claim is None:
        return
    is_open = claim.row() & (IdempotencyRow.state != "answered")
    if not await tx.execute(update(IdempotencyRow).where(is_open).values(state="effective")):
        raise RequestInFlight("Another request with this Idempotency-Key has taken over.")


async def store_answer(db: Database, *, claim: Claim, answer: StoredAnswer) -> None:
    async with db.write() as tx:
        await tx.execute(update(IdempotencyRow).where(claim.row()).values(_answered(answer)))


async def end_failed_claim(db: Database, *, claim: Claim, unknown: StoredAnswer) -> None:
    """Let the key be used again if its request committed nothing; else answer `unknown` from now on.

    The DELETE waits for a transaction of the request whose COMMIT is under way, so it sees the result of that.
    """
    async with db.write() as tx:
        if not await tx.execute(delete(IdempotencyRow).where(claim.row(), IdempotencyRow.state == "started")):
            await tx.execute(update(IdempotencyRow).where(claim.row()).values(_answered(unknown)))


async def drop_resumable_claim(db: Database, *, claim: Claim) -> None:
    """Let the key be used again after a resumable error, even if its request has committed something."""
    async with db.write() as tx:
        await tx.execute(delete(IdempotencyRow).where(claim.row()))


def _answered(answer: StoredAnswer) -> dict[str, Any]:
    return {"state": "answered", "status": answer.status, "body": answer.body}


async def drop_lapsed(tx: WriteTx) -> int:
    """Delete rows past their time; return how many there were."""
    return await tx.execute(delete(IdempotencyRow).where(IdempotencyRow.started_at < tx.now(-KEPT_FOR)))

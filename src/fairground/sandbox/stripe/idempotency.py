"""Stripe's rules for the Idempotency-Key header (docs.stripe.com/api/idempotent_requests).

The first result of a key is stored and replayed, whatever it was, for 24 hours. Nothing is stored when the parameters
do not pass validation, or when a twin is in flight. A key used for something else is refused.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Final

from fairground.sandbox.stripe import protocol
from fairground.sandbox.stripe.protocol import Json, StripeError
from fairground.sandbox.stripe.store import Tx

KEPT_SECONDS: Final = 24 * 60 * 60
# Longer than any call takes. A process that dies in the middle leaves the key locked for this long.
LOCK_SECONDS: Final = 15.0
_KEY_MAX_LENGTH: Final = 255


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    body: Json


@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to do the work of a key, until another request takes it over."""

    key: str
    token: str


def fingerprint(fields: Json) -> str:
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def claim(tx: Tx, *, key: str, endpoint: str, fields: Json, now: float) -> Claim | Answer:
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
        if (held_endpoint, held_fingerprint) != (endpoint, fingerprint(fields)):
            raise _other_request(key)
        if status is not None:
            return Answer(status=status, body=json.loads(body))
        if locked_until > now:
            raise _in_flight(key)
    token = secrets.token_hex(8)
    tx.execute(
        "INSERT OR REPLACE INTO idempotency_key (key, endpoint, fingerprint, created, claim, locked_until) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (key, endpoint, fingerprint(fields), now, token, now + LOCK_SECONDS),
    )
    return Claim(key=key, token=token)


def require_still_ours(tx: Tx, claim: Claim) -> None:
    """Raise when the lock has lapsed and a twin has taken the key."""
    row = tx.execute("SELECT claim, status FROM idempotency_key WHERE key = ?", (claim.key,)).fetchone()
    if row != (claim.token, None):
        raise _in_flight(claim.key)


def keep(tx: Tx, claim: Claim, answer: Answer) -> None:
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

"""The signature of Stripe's webhooks. Source: docs.stripe.com/webhooks/signature."""

import hashlib
import hmac
from typing import Final

from fairground.modules.payments.gateways.processor import SignatureInvalid

# Stripe's own library lets times in the future pass; a signature that is valid for ever is worth more to a thief.
TOLERANCE_SECONDS: Final = 300


def require_signature(header: str, body: bytes, *, secret: str, now: float) -> None:
    """Check that the header signs these bytes, and within five minutes of `now` (Unix seconds).

    Raises:
        SignatureInvalid: It does not.
    """
    fields = [part.strip().partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    signatures = [value for name, _, value in fields if name == "v1"]
    if len(times) != 1 or not times[0].isdecimal() or not times[0].isascii() or not signatures:
        raise SignatureInvalid("The Stripe-Signature header is missing or has not the form t=…,v1=….")
    expected = hmac.new(secret.encode(), times[0].encode() + b"." + body, hashlib.sha256).hexdigest()
    # While a secret is being changed there is one signature for each.
    if not any(hmac.compare_digest(expected.encode(), shown.encode()) for shown in signatures):
        raise SignatureInvalid("The signature is not that of this body and our secret.")
    if abs(now - int(times[0])) > TOLERANCE_SECONDS:
        raise SignatureInvalid(f"The webhook was signed at {times[0]}, more than {TOLERANCE_SECONDS} seconds off.")

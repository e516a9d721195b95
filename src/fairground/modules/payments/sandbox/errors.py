"""Stripe's error objects. Sources: docs.stripe.com/api/errors and docs.stripe.com/error-codes."""

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """An answer that is not the object asked for: an HTTP status and the fields of Stripe's `error` object."""

    def __init__(self, status: int, fields: Json) -> None:
        super().__init__(fields["message"])
        self.status = status
        self.fields = fields

    def body(self) -> Json:
        return {"error": self.fields}


def invalid(message: str, *, status: int = 400, **fields: Any) -> StripeError:
    named = {name: value for name, value in fields.items() if value is not None}
    return StripeError(status, {"type": "invalid_request_error", "message": message} | named)


def no_such(kind: str, object_id: str, *, param: str, status: int = 404) -> StripeError:
    return invalid(f"No such {kind}: '{object_id}'", status=status, code="resource_missing", param=param)


def unexpected_state(message: str, *, intent: Json) -> StripeError:
    return invalid(message, code="payment_intent_unexpected_state", payment_intent=intent)


def wrong_api_key(shown: str) -> StripeError:
    return invalid(f"Invalid API Key provided: {shown[:8]}***", status=401)


def rate_limited() -> StripeError:
    return invalid("Too many requests hit the API too quickly.", status=429, code="rate_limit")


def server_error() -> StripeError:
    return StripeError(500, {"type": "api_error", "message": "An unknown error occurred."})


def unknown_url(method: str, path: str) -> StripeError:
    return invalid(f"Unrecognized request URL ({method}: {path}).", status=404)

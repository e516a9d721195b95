"""Stripe's wire protocol: what a request may say, and the error objects that answer it.

Requests are form bodies with bracketed names; each call has one model. A parameter that is not listed here is refused,
never ignored: the adapter must not lean on something that the sandbox does not do.

Sources: docs.stripe.com/api (parameters of each call), docs.stripe.com/api/errors and docs.stripe.com/error-codes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

Json = dict[str, Any]
Params = TypeVar("Params", bound="Request")


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


def _listed(value: Any) -> Any:
    """`types[0]=a&types[1]=b` arrives as a mapping of positions."""
    return list(value.values()) if isinstance(value, dict) else value


# Twelve digits for most cards (docs.stripe.com/currencies, "Maximum charge amounts").
Amount = Annotated[int, Field(ge=1, le=999_999_999_999)]
Metadata = Annotated[
    dict[Annotated[str, StringConstraints(max_length=40)], Annotated[str, StringConstraints(max_length=500)]],
    Field(max_length=50),
]


class Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CreateIntent(Request):
    amount: Amount
    currency: Annotated[str, StringConstraints(to_lower=True, pattern="^[a-zA-Z]{3}$")]
    capture_method: Literal["automatic", "manual"] = "automatic"
    confirm: bool = False
    payment_method: str | None = None
    payment_method_types: Annotated[list[Literal["card"]], BeforeValidator(_listed)] = ["card"]
    description: str | None = None
    metadata: Metadata = {}
    return_url: str | None = None


class ConfirmIntent(Request):
    payment_method: str | None = None
    return_url: str | None = None


class CaptureIntent(Request):
    amount_to_capture: Amount | None = None


class CancelIntent(Request):
    cancellation_reason: Literal["duplicate", "fraudulent", "requested_by_customer", "abandoned"] | None = None


class CardNumber(Request):
    number: str
    exp_month: int = Field(ge=1, le=12)
    exp_year: int = Field(ge=2000, le=2100)
    cvc: Annotated[str, StringConstraints(pattern=r"^\d{3,4}$")] | None = None

    def has_expired(self, *, now: int) -> bool:
        """Return whether the month of the card is over; `now` is in Unix seconds."""
        today = datetime.fromtimestamp(now, tz=UTC)
        return (self.exp_year, self.exp_month) < (today.year, today.month)


class CreatePaymentMethod(Request):
    type: Literal["card"]
    card: CardNumber
    billing_details: Json = {}
    metadata: Metadata = {}


class RetrieveIntent(Request):
    expand: Annotated[list[Literal["payment_method"]], BeforeValidator(_listed)] = []


class CreateRefund(Request):
    payment_intent: str
    amount: Amount | None = None
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | None = None
    metadata: Metadata = {}


class Created(Request):
    """Bounds on the time of creation, in Unix seconds."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class Page(Request):
    """A page of a list, newest first. Source: docs.stripe.com/api/pagination."""

    limit: int = Field(default=10, ge=1, le=100)
    starting_after: str | None = None
    ending_before: str | None = None
    created: Created = Created()


class RefundPage(Page):
    payment_intent: str | None = None


def nested(pairs: Iterable[tuple[str, str]]) -> Json:
    """Turn `metadata[booking]=7` into {"metadata": {"booking": "7"}}."""
    tree: Json = {}
    for name, value in pairs:
        *parents, leaf = name.replace("]", "").split("[")
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if not isinstance(branch, dict):
                raise invalid(f"Invalid parameter: {name}.", param=name)
        branch[leaf] = value
    return tree


def read(model: type[Params], fields: Json) -> Params:
    try:
        return model.model_validate(fields)
    except ValidationError as refusal:
        raise _wrong_parameter(refusal) from refusal


def _wrong_parameter(refusal: ValidationError) -> StripeError:
    first = refusal.errors(include_url=False)[0]
    top, *rest = [str(part) for part in first["loc"]] or ["body"]
    param = top + "".join(f"[{part}]" for part in rest)
    if first["type"] == "missing":
        return invalid(f"Missing required param: {param}.", code="parameter_missing", param=param)
    if first["type"] == "extra_forbidden":
        return invalid(f"Received unknown parameter: {param}", code="parameter_unknown", param=param)
    code = "parameter_invalid_integer" if first["type"].startswith("int") else None
    return invalid(f"Invalid {param}: {first['msg']}.", code=code, param=param)

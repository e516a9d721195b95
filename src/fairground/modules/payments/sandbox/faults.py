"""What the sandbox does wrong on purpose. Only tests hand these in; nothing of it can be set from outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fairground.modules.payments.sandbox.webhooks import Delivery


class RequestFault(StrEnum):
    RATE_LIMITED = "rate_limited"
    """429; nothing happens."""
    ERROR_AFTER_COMMIT = "error_after_commit"
    """The act is done and its result kept, and the caller reads 500. A replay reads the true result."""
    HANG_AFTER_COMMIT = "hang_after_commit"
    """The act is done and its result kept, and the answer comes `hang_seconds` too late."""


def _no_request_fault(_method: str, _path: str) -> RequestFault | None:
    return None


def _as_due(deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    return deliveries


@dataclass(frozen=True, kw_only=True)
class Faults:
    on_request: Callable[[str, str], RequestFault | None] = _no_request_fault
    """Asked with method and path, once a request."""
    hang_seconds: float = 30
    rearrange_webhooks: Callable[[Sequence[Delivery]], Sequence[Delivery]] = _as_due
    """Given the webhooks that are due; may repeat or reorder them. One left out is lost for ever."""
    webhook_delay_seconds: float = 0

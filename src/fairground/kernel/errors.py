"""Errors of the domain, by kind.

Every kind maps to exactly one HTTP status, in `platform.http.problems`; nothing else chooses a status code.

    DomainError
     ├─ NotFound            no such thing, or it belongs to another user
     ├─ Conflict            the request is sound, but the state of things forbids it
     ├─ Invalid             the request itself cannot be carried out
     ├─ Unauthenticated     the caller has not signed in
     ├─ Forbidden           the caller has signed in, and may not do this
     ├─ PaymentRefused      the money did not move
     ├─ LimitExceeded       too many or too much; `retry_after_seconds` says when again
     └─ Unavailable         a part we depend on does not answer
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """A refusal that a caller can understand and act upon.

    `code` is public API: it may be added, never renamed. `detail` says what happened, with the value that was wrong
    and without secrets; `hint` says what to do next. `context` holds machine-readable facts and appears in the problem
    document as it is, so it holds nothing private.
    """

    code: ClassVar[str]
    hint: str = ""
    is_resumable: ClassVar[bool] = False
    """Whether the same request, sent again, continues what this one has begun and repeats nothing that it has done.

    Such an error keeps an Idempotency-Key usable even after part of its request was committed.
    """

    def __init__(self, detail: str, *, hint: str | None = None, **context: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        if hint is not None:
            self.hint = hint
        self.context: Mapping[str, Any] = context


class NotFound(DomainError):
    code = "not_found"


class Conflict(DomainError):
    code = "conflict"


class Invalid(DomainError):
    code = "invalid"


class Unauthenticated(DomainError):
    code = "unauthenticated"
    hint = "Sign in with POST /api/v1/auth/login, or send Authorization: Bearer <token>."


class Forbidden(DomainError):
    code = "forbidden"


class PaymentRefused(DomainError):
    code = "payment_refused"


class LimitExceeded(DomainError):
    """Too many requests, or too much at once. `retry_after_seconds` becomes the Retry-After header."""

    code = "limit_exceeded"

    def __init__(self, detail: str, *, retry_after_seconds: int, hint: str | None = None, **context: Any) -> None:
        super().__init__(detail, hint=hint, retry_after_seconds=retry_after_seconds, **context)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(DomainError):
    """A part we depend on does not answer. `reason` is the message of a driver or of the system.

    A reason may name hosts, ports and paths, so it is for the log and for commands; no answer to a request holds it.
    """

    code = "unavailable"
    hint = "Nothing was lost. Try again in a moment."

    def __init__(self, detail: str, *, reason: str = "", hint: str | None = None, **context: Any) -> None:
        super().__init__(detail, hint=hint, **context)
        self.reason = reason

"""Problem documents (RFC 9457): the one place where an error becomes an HTTP response."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException  # noqa: TID251 - caught here, raised by the framework only
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.kernel.errors import (
    Conflict,
    DomainError,
    Forbidden,
    Invalid,
    LimitExceeded,
    NotFound,
    PaymentRefused,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger()

MEDIA_TYPE: Final = "application/problem+json"
_RETRY_AFTER_UNAVAILABLE_SECONDS = 2

STATUS_OF_KIND: Final[Mapping[type[DomainError], HTTPStatus]] = {
    NotFound: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Forbidden: HTTPStatus.FORBIDDEN,
    PaymentRefused: HTTPStatus.PAYMENT_REQUIRED,
    LimitExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}


class RequestInvalid(Invalid):
    """Parameters or body do not fit the operation's schema; `errors` says where."""

    code = "request.invalid"
    hint = "See /openapi.json for the fields of this path."


class FieldError(BaseModel):
    """What is wrong with one field of a request."""

    field: str
    """Where it is, such as `body.email` or `query.limit`."""
    message: str


class Problem(BaseModel):
    """An RFC 9457 problem document. `code` is stable and never renamed; `hint` says the way out."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    errors: list[FieldError] | None = None


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def status_of(error: DomainError) -> HTTPStatus:
    return next(status for kind, status in STATUS_OF_KIND.items() if isinstance(error, kind))


def problem_response(error: DomainError) -> ProblemResponse:
    """Return the problem document of a domain error; its `context` becomes further members."""
    log_reason(error)
    problem = _problem(status_of(error), code=error.code, detail=error.detail, hint=error.hint)
    return _respond(problem, headers=headers_of(error), extra=error.context)


def log_reason(error: DomainError) -> None:
    """Log the reason of an unavailable part, from its driver or the system, which no response contains."""
    if isinstance(error, Unavailable) and error.reason:
        log.warning("request.unavailable", code=error.code, reason=error.reason)


def headers_of(error: DomainError) -> dict[str, str]:
    """Return the headers of a refusal, such as Retry-After."""
    if isinstance(error, LimitExceeded):
        return {"Retry-After": str(error.retry_after_seconds)}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(_RETRY_AFTER_UNAVAILABLE_SECONDS)}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def plain_problem(status: HTTPStatus, *, code: str, detail: str, hint: str = "") -> ProblemResponse:
    """Return a problem document without a domain error, such as for a wrong host."""
    return _respond(_problem(status, code=code, detail=detail, hint=hint))


def example_problem(status: HTTPStatus, code: str, *, hint: str = "") -> dict[str, Any]:
    """Return a problem document for the API's description."""
    problem = _problem(status, code=code, detail="What happened, with the value that was wrong.", hint=hint)
    return problem.model_dump(exclude_none=True)


def _problem(
    status: HTTPStatus, *, code: str, detail: str, hint: str = "", errors: Sequence[FieldError] | None = None
) -> Problem:
    return Problem(
        type=f"urn:fairground:problem:{code}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        code=code,
        hint=hint or None,
        errors=list(errors) if errors else None,
    )


def _respond(
    problem: Problem, *, headers: Mapping[str, str] | None = None, extra: Mapping[str, Any] | None = None
) -> ProblemResponse:
    content = dict(extra or {}) | problem.model_dump(exclude_none=True)
    return ProblemResponse(content, status_code=problem.status, headers=dict(headers or {}))


async def on_domain_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, DomainError):
        raise error
    return problem_response(error)


async def on_invalid_request(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    errors = [
        FieldError(field=".".join(str(part) for part in entry["loc"]), message=entry["msg"]) for entry in error.errors()
    ]
    detail = "; ".join(f"{entry.field}: {entry.message}" for entry in errors)
    problem = _problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        code=RequestInvalid.code,
        detail=detail,
        hint=RequestInvalid.hint,
        errors=errors,
    )
    return _respond(problem)


_CODE_OF_STATUS: Final = {
    HTTPStatus.NOT_FOUND: ("request.not_found", "Nothing here. See /openapi.json for all paths."),
    HTTPStatus.METHOD_NOT_ALLOWED: ("request.method_not_allowed", "See the Allow header for the methods of this path."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("request.too_large", "Send less data."),
}


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Answer a refusal of the framework itself."""
    if not isinstance(error, HTTPException):
        raise error
    status, detail, headers = HTTPStatus(error.status_code), str(error.detail), dict(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework looks at one route of the path only, and counts the catch-all route as one.
        allowed = request.app.state.methods.allowed(request.url.path)
        headers = {"Allow": allowed} if allowed else {}
        if not allowed:
            status, detail = HTTPStatus.NOT_FOUND, HTTPStatus.NOT_FOUND.phrase
    return _refuse(status, detail=detail, headers=headers)


def _refuse(status: HTTPStatus, *, detail: str, headers: Mapping[str, str] | None = None) -> ProblemResponse:
    code, hint = _CODE_OF_STATUS.get(status, ("request.refused", ""))
    return _respond(_problem(status, code=code, detail=detail, hint=hint), headers=headers)


class ProblemMiddleware:
    """Replace the plain-text refusal of a too large body, the only one of the framework, by a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal: Response | None = None

        async def send_problem(message: Message) -> None:
            nonlocal refusal
            if message["type"] == "http.response.start" and _is_plain_refusal(message):
                refusal = _refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail="The request body is too large.")
            if refusal is None:
                await send(message)
            elif message["type"] == "http.response.body" and not message.get("more_body"):
                await refusal(scope, receive, send)

        await self._app(scope, receive, send_problem)


def _is_plain_refusal(start: Message) -> bool:
    if start["status"] != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return False
    return Headers(raw=start["headers"]).get("content-type", "").startswith("text/plain")


async def on_unexpected_error(request: Request, error: Exception) -> Response:
    log.error("request.failed", method=request.method, path=request.url.path, exc_info=error)
    return plain_problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        code="internal_error",
        detail="Something went wrong on our side, and we've logged it.",
        hint="Try again. If it keeps happening, tell the operator the time of the error.",
    )

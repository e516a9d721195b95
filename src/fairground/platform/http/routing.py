"""Routers of the JSON API: Idempotency-Key where a signed-in user changes something, and unknown query parameters.

A route refuses a query parameter that it does not know. A misspelt or foreign filter, such as `?city=Tokyo` for
`?location=Tokyo`, would otherwise return everything.
"""

import hashlib
import re
from collections.abc import Callable, Coroutine, Iterator
from difflib import get_close_matches
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from fairground.kernel.errors import DomainError, Invalid, LimitExceeded, Unauthenticated, Unavailable
from fairground.platform.db.common import idempotency
from fairground.platform.db.database import Database
from fairground.platform.http.caching.routes import is_tracking
from fairground.platform.http.identity import find_caller
from fairground.platform.http.problems import MEDIA_TYPE, Problem, problem_response

KEY_HEADER: Final = "Idempotency-Key"
KEY_MAX_LENGTH: Final = 255
KEY_METHODS: Final = frozenset({"POST", "PATCH", "PUT"})
_NAME_MAX_CHARS: Final = 40  # of an unknown name that a response repeats
_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{KEY_MAX_LENGTH}}}")
# Errors that may not occur again, and so are not stored as the answer.
_PASSING: Final = (Unauthenticated, LimitExceeded, Unavailable)

log = structlog.get_logger()

_Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class IdempotencyKeyInvalid(Invalid):
    code = "idempotency.key_invalid"
    hint = f"Send 1 to {KEY_MAX_LENGTH} visible ASCII characters, such as a UUID."


class IdempotentRoute(APIRoute):
    def get_route_handler(self) -> _Endpoint:
        carry_out = super().get_route_handler()

        async def answer(request: Request) -> Response:
            key = request.headers.get(KEY_HEADER)
            if key is None or request.method not in KEY_METHODS:
                return await carry_out(request)
            caller = await find_caller(request)
            if caller is None:
                return await carry_out(request)
            if len(request.headers.getlist(KEY_HEADER)) > 1:
                raise IdempotencyKeyInvalid("The request has more than one Idempotency-Key header.")
            if not _KEY.fullmatch(key):
                raise IdempotencyKeyInvalid("The Idempotency-Key is empty, too long, or not visible ASCII.")
            claim = await idempotency.claim_request(
                _database(request), actor_id=caller.user_id, key=key, request_hash=await _hash(request)
            )
            if isinstance(claim, idempotency.StoredAnswer):
                return _replay(claim)
            return await _carry_out_once(carry_out, request, claim)

        return answer


async def _carry_out_once(carry_out: _Endpoint, request: Request, claim: idempotency.Claim) -> Response:
    db = _database(request)
    try:
        with idempotency.carrying_out(claim):
            response = await carry_out(request)
    except _PASSING as error:
        await _end_failed(db, claim, error)
        raise
    except DomainError as error:
        response = problem_response(error)
    except Exception as error:
        await _end_failed(db, claim, error)
        raise
    try:
        await idempotency.store_answer(db, claim=claim, answer=_stored(response))
    except Unavailable as error:
        # The change is committed: the caller gets the answer, and a repetition gets `outcome_unknown`.
        log.warning("idempotency.answer_not_stored", error=str(error))
    return response


async def _end_failed(db: Database, claim: idempotency.Claim, error: Exception) -> None:
    try:
        if isinstance(error, DomainError) and error.is_resumable:
            await idempotency.drop_resumable_claim(db, claim=claim)
        else:
            lost = idempotency.OutcomeUnknown("The first request with this key failed after making a change.")
            await idempotency.end_failed_claim(db, claim=claim, unknown=_stored(problem_response(lost)))
    except Unavailable as second:
        # The unchanged row prevents a second effect; the caller gets the first error.
        log.warning("idempotency.claim_not_ended", error=str(second))


def _stored(response: Response) -> idempotency.StoredAnswer:
    return idempotency.StoredAnswer(status=response.status_code, body=bytes(response.body))


def _replay(answer: idempotency.StoredAnswer) -> Response:
    is_problem = answer.status >= HTTPStatus.BAD_REQUEST
    return Response(
        answer.body,
        status_code=answer.status,
        media_type=MEDIA_TYPE if is_problem else "application/json",
        headers={"Idempotency-Replayed": "true"},
    )


async def _hash(request: Request) -> str:
    target = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(target + await request.body()).hexdigest()


def _database(request: Request) -> Database:
    db: Database = request.app.state.db
    return db


class UnknownParameter(Invalid):
    """`context["known_parameters"]` lists the parameters of the route."""

    code = "request.unknown_parameter"


async def refuse_unknown_parameters(request: Request) -> None:
    """Check the names in the query string. Advertisers' parameters, such as `utm_source`, are ignored.

    Raises:
        UnknownParameter: The route has no parameter of this name; the hint names the nearest one and lists all.
    """
    query, route = request.scope["query_string"], request.scope.get("route")
    if not query or not isinstance(route, APIRoute):
        return
    known = known_parameters(route)
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name not in known and not is_tracking(name):
            raise _unknown(name, known)


def known_parameters(route: APIRoute) -> tuple[str, ...]:
    """Return the names of all query parameters that a route takes, sorted."""
    return tuple(sorted(set(_names(route.dependant))))


def _names(dependant: Dependant) -> Iterator[str]:
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())
        else:
            yield parameter.alias
    for below in dependant.dependencies:
        yield from _names(below)


def _unknown(name: str, known: tuple[str, ...]) -> UnknownParameter:
    nearest = get_close_matches(name, known, n=1)
    advice = f"Did you mean {nearest[0]!r}? " if nearest else ""
    listed = f"Known parameters: {', '.join(known)}." if known else "This path has no query parameters."
    return UnknownParameter(
        f"Unknown query parameter {name[:_NAME_MAX_CHARS]!r}.",
        hint=advice + listed,
        known_parameters=list(known),
    )


# The model only, so that the document has its schema: `openapi` writes the refusals of each operation.
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {"4XX": {"model": Problem}}


def api_router(*, tags: list[str], honours_idempotency_key: bool = True) -> APIRouter:
    """Return a router for JSON routes, mounted under /api/v1, which refuse query parameters that they do not know.

    Args:
        honours_idempotency_key: False for routes that hand out secrets, which must not be stored.
    """
    route_class = IdempotentRoute if honours_idempotency_key else APIRoute
    return APIRouter(
        tags=list(tags),
        route_class=route_class,
        responses=_RESPONSES,
        redirect_slashes=False,
        dependencies=[Depends(refuse_unknown_parameters)],
    )

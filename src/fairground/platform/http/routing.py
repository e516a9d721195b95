"""The route class of the JSON API: Idempotency-Key on every route that writes for a signed-in user."""

import hashlib
import re
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from fairground.kernel.errors import DomainError, Invalid, LimitExceeded, Unauthenticated, Unavailable
from fairground.platform.db.common import idempotency
from fairground.platform.db.database import Database
from fairground.platform.http.identity import find_caller
from fairground.platform.http.parameters import refuse_unknown_parameters
from fairground.platform.http.problems import MEDIA_TYPE, Problem, problem_response

KEY_HEADER: Final = "Idempotency-Key"
KEY_MAX_LENGTH: Final = 255
_METHODS: Final = frozenset({"POST", "PATCH", "PUT"})
_KEY: Final = re.compile(rf"[\x21-\x7e]{{1,{KEY_MAX_LENGTH}}}")
# What may end differently the next time, and so is not stored as the answer.
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
            if key is None or request.method not in _METHODS:
                return await carry_out(request)
            caller = await find_caller(request)
            if caller is None:
                return await carry_out(request)
            if len(request.headers.getlist(KEY_HEADER)) > 1:
                raise IdempotencyKeyInvalid("The request has more than one Idempotency-Key.")
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
        # What was done is done: the caller gets the answer, and a repetition learns that it was lost.
        log.warning("idempotency.answer_not_stored", error=str(error))
    return response


async def _end_failed(db: Database, claim: idempotency.Claim, error: Exception) -> None:
    try:
        if isinstance(error, DomainError) and error.is_resumable:
            await idempotency.drop_resumable_claim(db, claim=claim)
        else:
            lost = idempotency.OutcomeUnknown("The first request with this key failed after it had changed something.")
            await idempotency.end_failed_claim(db, claim=claim, unknown=_stored(problem_response(lost)))
    except Unavailable as second:
        # The row stays as it is, which never allows a second effect; the caller is answered with the first error.
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


_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {
        "model": Problem,
        "description": "A problem document (RFC 9457); `code` says which.",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


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

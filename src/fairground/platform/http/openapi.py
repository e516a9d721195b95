"""The OpenAPI document: how to sign in, where the server is, an example of each body, and the codes of refusals.

FastAPI derives paths, parameters and schemas from the routes. This file adds what it cannot know: who may call an
operation is read from its dependencies, and what it refuses from `@refuses` and from its kind of route.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from fairground.kernel.errors import DomainError
from fairground.platform.db.common.idempotency import KeyReused, OutcomeUnknown, RequestInFlight
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.http.identity import SignInNeeded, StaffOnly, find_caller, get_caller, get_staff
from fairground.platform.http.openapi_examples import example_of
from fairground.platform.http.problems import MEDIA_TYPE, STATUS_OF_KIND, RequestInvalid, example_problem
from fairground.platform.http.routing import (
    KEY_METHODS,
    IdempotencyKeyInvalid,
    IdempotentRoute,
    UnknownParameter,
    refuse_unknown_parameters,
)
from fairground.platform.http.security import COOKIE_NAME

Document = dict[str, Any]
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])

_BEARER: Final = "token"
_COOKIE: Final = "session"
_SCHEMES: Final = {
    _BEARER: {
        "type": "http",
        "scheme": "bearer",
        "description": "An API token, from `POST /api/v1/auth/login?mode=token` or *Account & security*.",
    },
    _COOKIE: {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE_NAME,
        "description": "The session cookie set when a user signs in with a browser.",
    },
}
_DESCRIPTION: Final = """\
Everything you can do on the website, for programs. Amounts are integers in the minor unit of their currency (8000 EUR
is €80.00), times are ISO 8601 with an offset, identifiers are UUIDs. Errors use RFC 9457 problem documents with a
stable `code`. Send an `Idempotency-Key` with a write to make it safe to repeat: a repeated request gets the first
response.
"""
_REFUSES: Final = "__refuses__"
_PROBLEM: Final = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}


def refuses(*errors: type[DomainError]) -> Callable[[_Endpoint], _Endpoint]:
    """Declare with which errors of the domain an operation answers; the document lists their codes."""

    def declare(endpoint: _Endpoint) -> _Endpoint:
        setattr(endpoint, _REFUSES, errors)
        return endpoint

    return declare


def operation_id(route: APIRoute) -> str:
    """Name an operation after its function; generated clients call their methods so."""
    return route.name


def describe(document: Document, *, routes: Iterable[tuple[str, APIRoute]], public_url: str) -> Document:
    """Add to FastAPI's document what it cannot derive. Changes and returns `document`.

    Args:
        routes: With their whole paths.
    """
    document["info"]["description"] = _DESCRIPTION
    document["servers"] = [{"url": public_url}]
    document.setdefault("components", {})["securitySchemes"] = _SCHEMES
    for path, route in routes:
        for method in route.methods or ():
            operation = document["paths"].get(path, {}).get(method.lower())
            if operation is not None:
                _describe_operation(document, operation, route, method=method)
    return document


def _describe_operation(document: Document, operation: Document, route: APIRoute, *, method: str) -> None:
    operation["summary"], operation["description"] = _texts(route)
    calls = set(_calls(route.dependant))
    if get_caller in calls:
        operation["security"] = [{_BEARER: []}, {_COOKIE: []}]
    elif find_caller in calls:
        operation["security"] = [{}, {_BEARER: []}, {_COOKIE: []}]
    else:
        operation["security"] = []
    responses = operation["responses"]
    responses.pop("422", None)
    if "4XX" in responses:
        responses["4XX"] = {"description": "Another error; its `code` says which.", "content": _PROBLEM}
    responses.update(_refusals(document, route, calls, method=method))
    for parameter in operation.get("parameters", []):
        parameter.setdefault("example", example_of(document, parameter.get("schema", {}), name=parameter["name"]))
    bodies = [operation.get("requestBody", {}), *(each for status, each in responses.items() if status < "4")]
    for body in bodies:
        content = body.get("content", {}).get("application/json")
        if content is not None and content.get("schema"):
            content["example"] = example_of(document, content["schema"])


def _texts(route: APIRoute) -> tuple[str, str]:
    """Return the first sentence of the docstring, or the name as words, and the whole docstring."""
    text = " ".join((route.description or "").split("\n\n")[0].split())
    summary = text.partition(". ")[0].rstrip(".")
    return summary or route.summary or route.name.replace("_", " ").capitalize(), route.description or ""


def _calls(dependant: Dependant) -> Iterator[object]:
    for below in dependant.dependencies:
        yield below.call
        yield from _calls(below)


def _refusals(document: Document, route: APIRoute, calls: set[object], *, method: str) -> Document:
    """Return a response for each status of an error, with an example for each code."""
    statuses: dict[str, list[str]] = defaultdict(list)
    shared = document["components"].setdefault("examples", {})
    for error in _errors(route, calls, method=method):
        status = next(status for kind, status in STATUS_OF_KIND.items() if issubclass(error, kind))
        statuses[str(status.value)].append(error.code)
        shared.setdefault(error.code, {"value": example_problem(status, error.code, hint=error.hint)})
    return {
        status: {
            "description": "A problem document with the code " + " or ".join(f"`{code}`" for code in codes) + ".",
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
                }
            },
        }
        for status, codes in sorted(statuses.items())
    }


def _errors(route: APIRoute, calls: set[object], *, method: str) -> Iterator[type[DomainError]]:
    if get_caller in calls:
        yield SignInNeeded
    if get_staff in calls:
        yield StaffOnly
    yield from getattr(route.endpoint, _REFUSES, ())
    if refuse_unknown_parameters in calls:
        yield from (RequestInvalid, UnknownParameter, DatabaseUnavailable)
    if isinstance(route, IdempotentRoute) and get_caller in calls and method in KEY_METHODS:
        yield from (IdempotencyKeyInvalid, KeyReused, RequestInFlight, OutcomeUnknown)

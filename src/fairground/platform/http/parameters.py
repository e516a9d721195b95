"""The query parameters of API routes: one that a route does not know is refused, never passed over.

A misspelt or foreign filter, such as `?city=Tokyo` for `?location=Tokyo`, would otherwise answer with everything.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel

from fairground.kernel.errors import Invalid
from fairground.platform.cache.key import is_tracking

_NAME_MAX_CHARS: Final = 40  # of a foreign name that an answer repeats


class UnknownParameter(Invalid):
    """`context["known_parameters"]` lists the parameters of the route."""

    code = "request.unknown_parameter"


async def refuse_unknown_parameters(request: Request) -> None:
    """Check the names in the query string. Advertisers' marks, such as `utm_source`, are passed over.

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
    listed = f"This path takes {', '.join(known)}." if known else "This path takes no query parameters."
    return UnknownParameter(
        f"There is no query parameter {name[:_NAME_MAX_CHARS]!r} here.",
        hint=advice + listed,
        known_parameters=list(known),
    )

from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from fairground.kernel.errors import NotFound, Unavailable
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.caching.computation import DirectDispatch, ResponseComputer
from fairground.platform.http.caching.routes import CachedRoute
from fairground.platform.http.routing import api_router
from tests.platform.http.caching.conftest import PUBLIC_URL, AnonymousAuthenticator
from tests.support.outbox import RecordingOutbox

PATH = "/api/v1/rides"
OUTCOMES = [
    None,
    NotFound("There is no such ride."),
    Unavailable("The database is not available."),
    RuntimeError("Oh."),
]


class RideQuery(BaseModel):
    seats: int = 1
    words: list[str] = []


class Fair:
    """A direct route and its outcome."""

    def __init__(self, db: Database) -> None:
        self.failure: Exception | None = None
        router = api_router(tags=["rides"])
        self.policy = CachePolicy(route="rides", life=Life.LISTS, query=RideQuery, is_direct=True)

        @router.get("/rides", response_model=RideQuery)
        @cached(self.policy)
        async def list_rides(query: Annotated[RideQuery, Query()]) -> Response:
            if self.failure is not None:
                raise self.failure
            return Response(query.model_dump_json(), media_type="application/json", headers={"x-made": "yes"})

        self.app: ASGIApp = create_app(
            db=db, authenticator=AnonymousAuthenticator(), api=[router], pages=[], public_url=PUBLIC_URL
        )


@pytest.fixture
async def fair() -> AsyncIterator[Fair]:
    db = Database("sqlite:///unused.db", outbox=RecordingOutbox())
    yield Fair(db)
    await db.close()


@pytest.mark.parametrize("failure", OUTCOMES)
async def test_direct_dispatch_gives_the_same_responses_as_the_framework(
    fair: Fair, monkeypatch: pytest.MonkeyPatch, failure: Exception | None
) -> None:
    fair.failure = failure
    query = "seats=3&words=fast&words=%C3%A5"
    transport = httpx.ASGITransport(fair.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        expected = await client.get(f"{PATH}?{query}")
    request = CachedRoute(fair.policy, shape=RideQuery, path_format=PATH, fresh_seconds=1).parse({}, query.encode())

    async def refuse(*_: object) -> None:
        raise AssertionError("The framework was called.")

    monkeypatch.setattr(FastAPI, "__call__", refuse)
    response = await ResponseComputer(fair.app, public_url=PUBLIC_URL).compute(request)
    assert (response.status, response.body) == (expected.status_code, expected.content)
    # The cache adds its own Cache-Control to what it computes; any other response is private.
    assert expected.headers["cache-control"] == "private, no-store"
    assert dict(response.headers) == {
        name.lower(): value for name, value in expected.headers.raw if name.lower() != b"cache-control"
    }


async def add_caller(request: Request) -> None:
    request.state.caller = "anyone"


def direct_routes(*dependencies: Callable[..., Any], is_direct: bool = True) -> list[APIRoute]:
    """Return one route with a cache policy, and with dependencies."""
    router = APIRouter(dependencies=[Depends(each) for each in dependencies])

    @router.get("/rides", response_model=RideQuery)
    @cached(CachePolicy(route="rides", life=Life.LISTS, query=RideQuery, is_direct=is_direct))
    async def list_rides(query: Annotated[RideQuery, Query()]) -> Response:
        return Response(query.model_dump_json(), media_type="application/json")

    return [route for route in router.routes if isinstance(route, APIRoute)]


def test_direct_route_with_a_dependency_is_refused() -> None:
    with pytest.raises(ValueError, match="/rides has a direct cache policy, which would skip its dependency"):
        DirectDispatch(FastAPI(), routes=direct_routes(add_caller))


def test_direct_route_with_a_satisfied_dependency_is_accepted() -> None:
    DirectDispatch(FastAPI(), routes=direct_routes(add_caller), satisfied=(add_caller,))


def test_control_dependency_of_a_route_that_is_not_direct_is_accepted() -> None:
    assert DirectDispatch(FastAPI(), routes=direct_routes(add_caller, is_direct=False))._routes == {}


def test_direct_endpoint_with_a_second_parameter_is_refused() -> None:
    router = APIRouter()

    @router.get("/rides", response_model=RideQuery)
    @cached(CachePolicy(route="rides", life=Life.LISTS, query=RideQuery, is_direct=True))
    async def list_rides(query: Annotated[RideQuery, Query()], request: Request) -> Response:
        return Response(f"{query.seats} {request.url}")

    with pytest.raises(ValueError, match="take `query` alone"):
        DirectDispatch(FastAPI(), routes=[route for route in router.routes if isinstance(route, APIRoute)])

"""A shop with one thing in it, behind the cache, which counts the calls of its routes."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fairground.kernel.errors import NotFound, Unavailable
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import CacheSettings, Life
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.caching.middleware import CacheMiddleware
from fairground.platform.http.identity import Caller
from fairground.platform.http.routing import api_router
from tests.support.outbox import RecordingOutbox

PUBLIC_URL = "https://fair.example"


class AnonymousAuthenticator:
    async def authenticate(self, _connection: object) -> Caller | None:
        return None


class Thing(BaseModel):
    name: str
    words: list[str]


class ThingQuery(BaseModel):
    page: int = Field(default=1, ge=1)
    size: int = Field(default=100, ge=0, le=1_000)


class ThingPath(BaseModel):
    name: str


def tags_of(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    return (f"thing:{parameters['name']}",)


@dataclass
class Shop:
    """The data of the routes; tests change it."""

    calls: int = 0
    words: list[str] = field(default_factory=lambda: ["merry-go-round"])
    failure: Exception | None = None
    headers: dict[str, str] = field(default_factory=dict)
    seen: list[dict[str, str]] = field(default_factory=list)
    made: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """The routes answer while it is set."""

    def __post_init__(self) -> None:
        self.gate.set()


def routes(shop: Shop) -> APIRouter:
    router = api_router(tags=["things"])

    @router.get("/things/{name}")
    @cached(CachePolicy(route="thing", life=Life.DETAILS, path=ThingPath, query=ThingQuery, tags=tags_of))
    async def get_thing(
        name: str, query: Annotated[ThingQuery, Query()], request: Request, response: Response
    ) -> Thing:
        shop.calls += 1
        shop.seen.append(dict(request.headers))
        await shop.gate.wait()
        if shop.failure is not None:
            raise shop.failure
        response.headers.update(shop.headers)
        return Thing(name=f"{name} {query.page}", words=shop.words * query.size)

    @router.get("/things/")
    @cached(CachePolicy(route="things", life=Life.LISTS))
    async def list_things() -> list[str]:
        shop.calls += 1
        return ["a"]

    @router.post("/things/{name}")
    async def make_thing(name: str) -> str:
        shop.made += 1
        return name

    @router.get("/private")
    async def get_private() -> str:
        shop.calls += 1
        return "private"

    return router


@dataclass
class Site:
    client: httpx.AsyncClient
    app: ASGIApp
    """The application that the client calls."""
    middleware: CacheMiddleware
    cache: ResponseCache
    shop: Shop
    clock: list[float]

    async def get(self, path: str, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(f"/api/v1{path}", headers={"accept-encoding": "identity", **names})


class PreparedFirst:
    """Tries the prepared response first, like our server."""

    def __init__(self, middleware: CacheMiddleware) -> None:
        self._middleware = middleware

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        prepared = self._middleware.find_prepared(scope)
        if prepared is None:
            await self._middleware(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": prepared.status, "headers": prepared.headers})
        await send({"type": "http.response.body", "body": prepared.body})


@pytest.fixture(params=["called", "prepared first"])
async def site(request: pytest.FixtureRequest, tmp_path: Any) -> AsyncIterator[Site]:
    db = Database(f"sqlite:///{tmp_path / 'unused.db'}", outbox=RecordingOutbox())
    clock = [time.time()]
    cache = ResponseCache(
        CacheSettings(), tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True, now=lambda: clock[0]
    )
    shop = Shop()
    app = create_app(
        db=db, authenticator=AnonymousAuthenticator(), api=[routes(shop)], pages=[], public_url=PUBLIC_URL, cache=cache
    )
    assert isinstance(app, CacheMiddleware)
    served = app if request.param == "called" else PreparedFirst(app)
    transport = httpx.ASGITransport(served)
    async with cache.running(), httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield Site(client, served, app, cache, shop, clock)
    await db.close()


NOT_FOUND = NotFound("There is no such thing.")
UNAVAILABLE = Unavailable("The database is not available.")

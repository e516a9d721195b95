"""An application with cached and uncached routes, and two servers of it: one with a cache of heads, one without."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import CacheSettings, Life
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.cache_control import matches_etag
from fairground.platform.http.caching.head_cache import HeadCache
from fairground.platform.http.caching.middleware import CacheMiddleware
from fairground.platform.http.identity import Caller
from fairground.platform.http.request_counter import RequestStats
from fairground.platform.http.routing import api_router
from tests.support.outbox import RecordingOutbox
from tests.support.protocols import Server

START_AT: Final = 1_900_000_000.0


class _Anonymous:
    async def authenticate(self, _connection: object) -> Caller | None:
        return None


class Greeting(BaseModel):
    words: str


class Echo(BaseModel):
    words: str = ""
    number: int = 0


@dataclass
class CachedApp:
    """What a test changes and looks at."""

    words: str = "kept"
    clock: float = START_AT
    pictures_made: int = 0
    requests: RequestStats = field(default_factory=RequestStats)
    stack: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)
    cache: ResponseCache = field(init=False)
    app: CacheMiddleware = field(init=False)
    heads: HeadCache = field(init=False)
    server: Server = field(init=False)
    """Answers by the bytes of heads where it may."""
    reference: Server = field(init=False)
    """Reads every request."""

    async def etag(self) -> bytes:
        """Return the ETag of /kept."""
        answer = await self.reference.connect().send(b"GET /api/v1/kept HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        return answer.partition(b"etag: ")[2].partition(b"\r\n")[0]

    async def stop(self) -> None:
        """End the cache; the servers go on."""
        await self.stack.aclose()


@contextlib.asynccontextmanager
async def open_cached_app(folder: Path) -> AsyncIterator[CachedApp]:
    opened = CachedApp()
    router = api_router(tags=["greetings"])

    @router.get("/kept")
    @cached(CachePolicy(route="kept", life=Life.DETAILS, tags=lambda _query: ("kept",)))
    async def get_kept() -> Greeting:
        return Greeting(words=opened.words)

    @router.get("/large")
    @cached(CachePolicy(route="large", life=Life.DETAILS, tags=lambda _query: ("large",)))
    async def get_large() -> Greeting:
        return Greeting(words=opened.words * 500)

    @router.get("/slow")
    async def get_slow() -> Greeting:
        await asyncio.sleep(0)
        return Greeting(words="slow")

    @router.get("/picture")
    async def get_picture(request: Request) -> Response:
        opened.pictures_made += 1
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": '"p"'}
        # As the product's own routes: what is repeated from memory may expire between two requests.
        if matches_etag(request.headers.get("if-none-match", "").encode(), etag=b'"p"'):
            return Response(status_code=304, headers=headers)
        return Response(b"picture", headers=headers)

    @router.post("/taken")
    async def post_taken(body: Echo) -> Echo:
        return body

    db = Database(f"sqlite:///{folder / 'unused.db'}", outbox=RecordingOutbox())
    cache = opened.cache = ResponseCache(
        CacheSettings(), tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True, now=lambda: opened.clock
    )
    app = create_app(
        db=db,
        authenticator=_Anonymous(),
        api=[router],
        pages=[],
        public_url="http://127.0.0.1",
        cache=cache,
        requests=opened.requests,
    )
    assert isinstance(app, CacheMiddleware)
    opened.app = app
    opened.heads = HeadCache(app, now=lambda: opened.clock)
    opened.server = Server(app, heads=opened.heads)
    opened.reference = Server(app, heads=None)
    async with opened.stack:
        await opened.stack.enter_async_context(cache.running())
        yield opened
    await db.close()

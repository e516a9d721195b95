"""Answers leave in one piece, and nothing of them is lost or out of order."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fairground.entrypoints.buffered_protocol import HELD_MAX_BYTES, WriteCoalescingTransport
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import CacheSettings, Life
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from fairground.platform.http.request_heads import HEAD_MAX_BYTES
from fairground.platform.http.routing import api_router
from tests.support.outbox import RecordingOutbox
from tests.support.wire import KEEP_ALIVE_SECONDS, serving


class AnonymousAuthenticator:
    async def authenticate(self, _connection: object) -> Caller | None:
        return None


class Wire(asyncio.Transport):
    """Remembers what is written at once, as a system call would."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed
        self.sent.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def test_writes_of_one_loop_turn_leave_in_one_call() -> None:
    wire = Wire()
    joined = WriteCoalescingTransport(wire)
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    joined.write(b"more")
    await asyncio.sleep(0)
    assert wire.sent == [b"head body", b"more"]


async def test_large_writes_leave_at_once_and_in_order() -> None:
    wire = Wire()
    joined = WriteCoalescingTransport(wire)
    joined.write(b"head")
    joined.write(b"x" * HELD_MAX_BYTES)
    assert wire.sent == [b"head" + b"x" * HELD_MAX_BYTES]
    joined.write(b"rest")
    await asyncio.sleep(0)
    assert wire.sent[1:] == [b"rest"]


async def test_closing_flushes_pending_writes_and_refuses_later_ones() -> None:
    wire = Wire()
    joined = WriteCoalescingTransport(wire)
    joined.write(b"goodbye")
    joined.close()
    assert (wire.sent, joined.is_closing()) == ([b"goodbye"], True)
    joined.write(b"too late")
    await asyncio.sleep(0)
    assert wire.sent == [b"goodbye"]


async def whole(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("whole")(scope, receive, send)


async def in_parts(scope: Scope, receive: Receive, send: Send) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"part %d " % number
            await asyncio.sleep(0.01)

    await StreamingResponse(parts())(scope, receive, send)


@pytest.mark.parametrize(("app", "body"), [(whole, b"whole"), (in_parts, b"part 0 part 1 part 2 ")])
async def test_answers_arrive_as_they_were_given(app: ASGIApp, body: bytes) -> None:
    async with serving(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert [(await client.get("/")).content for _ in range(2)] == [body, body]


class Greeting(BaseModel):
    words: str


async def ask(port: int, *requests: bytes, answers: int) -> list[httpx.Response]:
    """Send the requests in one piece over one connection, and read so many answers."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"".join(requests))
    found: list[httpx.Response] = []
    for _ in range(answers):
        head = await reader.readuntil(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")[:-2]
        headers = httpx.Headers([(name, value) for name, _, value in (line.partition(": ") for line in lines)])
        has_body = not requests[len(found)].startswith(b"HEAD") and status.split()[1] != "304"
        body = await reader.readexactly(int(headers["content-length"])) if has_body else b""
        found.append(httpx.Response(int(status.split()[1]), headers=headers, content=body))
        if headers.get("connection") == "close":
            assert await reader.read() == b""
    writer.close()
    return found


@pytest.fixture
async def fair(tmp_path: Path) -> AsyncIterator[int]:
    """Serve a route that is cached and one that is not; what is asked for first is kept afterwards."""
    router = api_router(tags=["greetings"])

    @router.get("/kept")
    @cached(CachePolicy(route="kept", life=Life.DETAILS))
    async def get_kept() -> Greeting:
        return Greeting(words="kept")

    @router.get("/patient")
    async def get_patient() -> Greeting:
        await asyncio.sleep(KEEP_ALIVE_SECONDS + 0.2)
        return Greeting(words="patient")

    @router.get("/slow")
    async def get_slow() -> Greeting:
        await asyncio.sleep(0.05)
        return Greeting(words="slow")

    db = Database(f"sqlite:///{tmp_path / 'unused.db'}", outbox=RecordingOutbox())
    cache = ResponseCache(CacheSettings(), tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True)
    app = create_app(
        db=db,
        authenticator=AnonymousAuthenticator(),
        api=[router],
        pages=[],
        public_url="http://127.0.0.1",
        cache=cache,
    )
    async with cache.running(), serving(app) as port:
        yield port
    await db.close()


def request(line: str, *headers: str, body: str = "") -> bytes:
    method, path = line.split()
    return "\r\n".join([f"{method} /api/v1{path} HTTP/1.1", "Host: 127.0.0.1", *headers, "", body]).encode()


async def test_prepared_response_equals_the_computed_one_but_for_cache_headers(fair: int) -> None:
    miss, hit, again = [(await ask(fair, request("GET /kept"), answers=1))[0] for _ in range(3)]
    assert (miss.headers["x-cache"], hit.headers["x-cache"], again.headers["x-cache"]) == ("MISS", "HIT", "HIT")
    changing = {"x-cache", "cache-status", "age", "date"}
    assert [list(each.headers) for each in (hit, again)] == [list(miss.headers)] * 2
    for each in (hit, again):
        assert each.content == miss.content
        assert {name: each.headers[name] for name in each.headers if name not in changing} == {
            name: miss.headers[name] for name in miss.headers if name not in changing
        }


async def test_pipelined_requests_are_answered_in_order(fair: int) -> None:
    await ask(fair, request("GET /kept"), answers=1)
    asked = ["kept", "slow", "kept", "kept", "slow", "kept"]
    answers = await ask(fair, *[request(f"GET /{path}") for path in asked], answers=len(asked))
    assert [each.json()["words"] for each in answers] == asked
    assert [each.headers.get("x-cache") for each in answers] == ["HIT", None, "HIT", "HIT", None, "HIT"]


async def test_keep_alive_timer_stays_off_while_a_pipelined_request_is_pending(fair: int) -> None:
    await ask(fair, request("GET /kept"), answers=1)
    answers = await ask(fair, request("GET /kept"), request("GET /patient"), answers=2)
    assert answers[1].json()["words"] == "patient"


async def test_thousand_pipelined_requests_behind_a_slow_one_are_answered(fair: int) -> None:
    await ask(fair, request("GET /kept"), answers=1)
    kept = [request("GET /kept")] * 1_000
    answers = await ask(fair, request("GET /slow"), *kept, answers=1 + len(kept))
    assert {each.json()["words"] for each in answers[1:]} == {"kept"}


async def test_prepared_response_follows_method_and_headers_of_the_request(fair: int) -> None:
    (miss,) = await ask(fair, request("GET /kept"), answers=1)
    head, known, bodied, last = await ask(
        fair,
        request("HEAD /kept"),
        request("GET /kept", f"If-None-Match: {miss.headers['etag']}"),
        request("GET /kept", "Content-Length: 5", body="hello"),
        request("GET /kept", "Connection: close"),
        answers=4,
    )
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(miss.content)), b"")
    assert (known.status_code, known.content, "content-length" in known.headers) == (304, b"", False)
    assert (bodied.content, last.content) == (miss.content, miss.content)
    assert last.headers["connection"] == "close"
    assert [each.headers["x-cache"] for each in (head, known, bodied, last)] == ["HIT"] * 4


async def test_a_head_without_end_is_refused_and_a_long_one_read(fair: int) -> None:
    long = [f"X-{number}: {'x' * 1_000}" for number in range(60)]
    (answer,) = await ask(fair, request("GET /kept", *long), answers=1)
    assert answer.status_code == 200

    reader, writer = await asyncio.open_connection("127.0.0.1", fair)
    writer.write(request("GET /kept", body="")[:-2] + b"X-Endless: ")
    sent = 0
    while sent <= HEAD_MAX_BYTES:
        await asyncio.sleep(0.001)
        writer.write(b"x" * 4096)
        sent += 4096
    async with asyncio.timeout(5):
        refusal = await reader.read()
    assert refusal.startswith(b"HTTP/1.1 431 ")
    assert b"request.head_too_large" in refusal
    writer.close()
    (answer,) = await ask(fair, request("GET /kept"), answers=1)
    assert answer.status_code == 200


async def test_prepared_response_starts_no_task(fair: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await ask(fair, request("GET /kept"), answers=1)
    started = []
    monkeypatch.setattr(HttpToolsProtocol, "_start_asgi_task", lambda *_: started.append("a task"))
    assert (await ask(fair, request("GET /kept"), answers=1))[0].headers["x-cache"] == "HIT"
    assert started == []

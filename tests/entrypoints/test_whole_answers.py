"""Answers leave in one piece, and nothing of them is lost or out of order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from fairground.entrypoints.whole_answers import HELD_MAX_BYTES, JoinedWrites, WholeAnswers


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


async def test_what_is_written_in_one_turn_leaves_together() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"head ")
    joined.write(b"body")
    assert wire.sent == []
    await asyncio.sleep(0)
    joined.write(b"more")
    await asyncio.sleep(0)
    assert wire.sent == [b"head body", b"more"]


async def test_what_is_much_leaves_at_once_and_in_order() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"head")
    joined.write(b"x" * HELD_MAX_BYTES)
    assert wire.sent == [b"head" + b"x" * HELD_MAX_BYTES]
    joined.write(b"rest")
    await asyncio.sleep(0)
    assert wire.sent[1:] == [b"rest"]


async def test_nothing_is_held_back_by_closing_and_nothing_is_written_after_it() -> None:
    wire = Wire()
    joined = JoinedWrites(wire)
    joined.write(b"goodbye")
    joined.close()
    assert (wire.sent, joined.is_closing()) == ([b"goodbye"], True)
    joined.write(b"too late")
    await asyncio.sleep(0)
    assert wire.sent == [b"goodbye"]


@asynccontextmanager
async def serving(app: ASGIApp) -> AsyncIterator[int]:
    config = uvicorn.Config(app, http=WholeAnswers, log_config=None, lifespan="off", port=0)
    server = uvicorn.Server(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    ticking = asyncio.create_task(server.main_loop())
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await ticking
    await server.shutdown()


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

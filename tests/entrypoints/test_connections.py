"""How long a connection may keep the server waiting, and how many there may be."""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from fairground.entrypoints.connections import CLOSE_SECONDS, LOG_SECONDS, Connections, Wait, most_connections
from fairground.entrypoints.settings import Settings
from tests.support.databases import copy_of
from tests.support.servers import Installation, ServerProcess
from tests.support.waiting import until, wait_until
from tests.support.wire import ANSWER_SECONDS, parse, serving

HOST = b"Host: 127.0.0.1\r\n"
SETTINGS = Settings(http_head_seconds=15, http_pause_seconds=30, http_client_connections=3)


class App:
    """Reads bodies; /long answers in two parts, the second when the gate opens; /large has more than buffers hold."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.asked = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.set()
        if scope["path"] == "/long":
            await StreamingResponse(self._parts())(scope, receive, send)
            return
        if scope["path"] == "/large":
            await PlainTextResponse("x" * 50_000_000)(scope, receive, send)
            return
        try:
            body = await Request(scope, receive, send).body()
        except ClientDisconnect:
            return
        await PlainTextResponse(str(len(body)))(scope, receive, send)

    async def _parts(self) -> AsyncIterator[bytes]:
        yield b"first"
        await self.gate.wait()
        yield b"second"


class Line:
    """A connection to the server, and the sweeps that its time consists of."""

    def __init__(self, limits: Connections, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._limits = limits
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()
        await asyncio.sleep(0.02)

    async def sweep(self, seconds: int, *, sending: bytes = b"") -> None:
        for _ in range(seconds):
            if sending:
                await self.send(sending)
            self._limits.sweep()
            await asyncio.sleep(0)

    async def is_open(self) -> bool:
        await asyncio.sleep(0.05)
        return len(self._limits) == 1

    async def read(self) -> bytes:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def line(app: App) -> AsyncIterator[Line]:
    limits = Connections(SETTINGS, trusted=[], most=10)
    async with serving(app, connections=limits, keep_alive_seconds=60) as port:
        line = Line(limits, *await asyncio.open_connection("127.0.0.1", port))
        await until(lambda: len(limits) == 1)
        yield line
        app.gate.set()
        line.close()


async def test_connection_without_a_byte_is_closed_after_the_time_of_a_head(line: Line) -> None:
    await line.sweep(SETTINGS.http_head_seconds)
    assert await line.is_open()
    await line.sweep(1)
    assert await line.read() == b""


@pytest.mark.parametrize("sending", [b"", b"x"])
async def test_head_has_its_time_whether_bytes_come_or_not(line: Line, sending: bytes) -> None:
    await line.send(b"GET / HTTP/1.1\r\n" + HOST + b"X: ")
    await line.sweep(SETTINGS.http_head_seconds + 2, sending=sending)
    (answer,) = parse(await line.read())
    assert (answer.status_code, answer.json()["code"]) == (408, "request.timeout")


async def test_second_head_has_its_own_time_and_empty_lines_are_no_head(line: Line) -> None:
    get = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n"
    for _ in range(3):
        await line.send(get[:20])
        await line.sweep(SETTINGS.http_head_seconds - 1)
        await line.send(get[20:])
    assert await line.is_open()
    await line.sweep(SETTINGS.http_head_seconds + 2, sending=b"\r\n")
    assert [answer.status_code for answer in parse(await line.read())] == [200, 200, 200]


async def test_pause_in_a_body_ends_the_request(line: Line) -> None:
    await line.send(b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\nabc")
    await line.sweep(SETTINGS.http_pause_seconds)
    assert await line.is_open()
    await line.sweep(2)
    (answer,) = parse(await line.read())
    assert (answer.status_code, answer.json()["code"]) == (408, "request.timeout")


async def test_slow_but_steady_body_is_taken(line: Line) -> None:
    await line.send(b"POST / HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 200\r\n\r\n")
    await line.sweep(200, sending=b"x")
    (answer,) = parse(await line.read())
    assert (answer.status_code, answer.text) == (200, "200")


async def test_body_that_is_not_read_after_the_answer_has_its_time_too(line: Line, app: App) -> None:
    await line.send(b"POST /long HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n")
    app.gate.set()
    await asyncio.sleep(0.05)
    await line.sweep(SETTINGS.http_pause_seconds + 2)
    wire = await line.read()
    assert (b"second" in wire, wire.count(b"HTTP/1.1")) == (True, 1)


async def test_long_answer_with_pauses_is_not_cut(line: Line, app: App) -> None:
    await line.send(b"GET /long HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
    await line.sweep(1_000)
    app.gate.set()
    assert b"second" in await line.read()


async def test_answer_before_a_pipelined_head_in_part_is_not_cut(line: Line, app: App) -> None:
    await line.send(b"GET /long HTTP/1.1\r\n" + HOST + b"\r\nGET / HT")
    await line.sweep(100)
    app.gate.set()
    await asyncio.sleep(0.05)
    await line.sweep(SETTINGS.http_head_seconds + 2)
    wire = await line.read()
    assert (b"second" in wire, b"HTTP/1.1 408" in wire) == (True, True)


async def test_connection_between_requests_is_left_to_keep_alive(line: Line) -> None:
    await line.send(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
    await line.sweep(1_000)
    assert await line.is_open()


async def test_client_that_does_not_read_is_cut_off(line: Line, app: App) -> None:
    await line.send(b"GET /large HTTP/1.1\r\n" + HOST + b"\r\n")
    await app.asked.wait()
    await asyncio.sleep(0.2)
    await line.sweep(SETTINGS.http_pause_seconds)
    assert await line.is_open()
    await line.sweep(2)
    assert not await line.is_open()


async def test_refused_client_that_does_not_close_is_cut_off(line: Line) -> None:
    await line.send(b"\x16\x03\x01")
    await line.sweep(CLOSE_SECONDS)
    assert await line.is_open()
    await line.sweep(2, sending=b"x")
    assert not await line.is_open()


class Client:
    """A connection as the limits see it."""

    def __init__(self, wait: Wait) -> None:
        self.waits = wait
        self.mark = 0
        self.is_closed = False

    def progress(self) -> tuple[Wait, object]:
        return self.waits, self.mark

    def expire(self) -> None:
        self.is_closed = True

    def evict(self) -> None:
        self.is_closed = True


def connect(limits: Connections, host: str, wait: Wait = Wait.IDLE) -> tuple[Client, int]:
    """Return a new connection, and the status by which it is refused; 0 if it is taken."""
    client = Client(wait)
    refusal = limits.admit(client, host=host)
    return client, refusal.status_code if refusal is not None else 0


@pytest.mark.parametrize(
    ("host", "same", "other"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "::ffff:192.0.2.2"),
    ],
)
def test_client_at_its_limit_loses_its_oldest_silent_connection(host: str, same: str, other: str) -> None:
    limits = Connections(SETTINGS, trusted=[], most=100)
    held = [connect(limits, host)[0] for _ in range(3)]
    _, status = connect(limits, other)
    assert (status, [each.is_closed for each in held]) == (0, [False, False, False])
    _, status = connect(limits, same)
    assert (status, [each.is_closed for each in held]) == (0, [True, False, False])


def test_client_at_its_limit_closes_no_connection_of_another_client() -> None:
    limits = Connections(SETTINGS, trusted=[], most=100)
    other, _ = connect(limits, "192.0.2.2")
    held = [connect(limits, "192.0.2.1")[0] for _ in range(3)]
    busy = [connect(limits, "192.0.2.3", Wait.ANSWER)[0] for _ in range(3)]
    assert [connect(limits, host)[1] for host in ("192.0.2.1", "192.0.2.3")] == [0, 429]
    assert [each.is_closed for each in (other, *held, *busy)] == [False, True, False, False, False, False, False]


def test_client_whose_connections_are_all_answered_is_refused_another() -> None:
    limits = Connections(SETTINGS, trusted=[], most=100)
    held = [connect(limits, "192.0.2.1", Wait.ANSWER)[0] for _ in range(3)]
    assert connect(limits, "192.0.2.1")[1] == 429
    assert not any(each.is_closed for each in held)
    limits.forget(held[0])
    assert connect(limits, "192.0.2.1")[1] == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.7", "192.0.2.1"])
def test_this_machine_and_proxies_have_no_limit_of_a_client(host: str) -> None:
    limits = Connections(SETTINGS, trusted=["10.0.0.0/8", "192.0.2.1", "/run/proxy.sock"], most=100)
    held = [connect(limits, host) for _ in range(50)]
    assert {status for _, status in held} == {0}
    assert not any(each.is_closed for each, _ in held)


def test_full_server_closes_the_connection_that_is_silent_the_longest() -> None:
    limits = Connections(SETTINGS, trusted=[], most=4)
    waits = [Wait.ANSWER, Wait.IDLE, Wait.HEAD, Wait.BODY]
    held = [connect(limits, "127.0.0.1", wait)[0] for wait in waits]
    for _ in range(4):
        limits.sweep()
    held[1].mark += 1  # which asks from time to time
    closed, status = [], 0
    for _ in range(4):
        _, status = connect(limits, "127.0.0.1", Wait.ANSWER)
        closed.append([waits[number].name for number, each in enumerate(held) if each.is_closed])
    assert closed == [["HEAD"], ["HEAD", "BODY"], ["IDLE", "HEAD", "BODY"], ["IDLE", "HEAD", "BODY"]]
    assert status == 503


def test_transfer_under_way_is_not_closed_for_room() -> None:
    limits = Connections(SETTINGS, trusted=[], most=1)
    upload, _ = connect(limits, "127.0.0.1", Wait.BODY)
    for _ in range(20):
        upload.mark += 1
        limits.sweep()
    assert (connect(limits, "127.0.0.1")[1], upload.is_closed) == (503, False)


def test_full_server_is_logged_once_a_minute() -> None:
    limits = Connections(SETTINGS, trusted=[], most=1)
    connect(limits, "127.0.0.1")
    with capture_logs() as log:
        for _ in range(LOG_SECONDS + 1):
            connect(limits, "127.0.0.1", Wait.HEAD)
            limits.sweep()
    entries = [entry for entry in log if entry["event"] == "http.connections_full"]
    assert len(entries) == 2
    assert [entry["closed"] for entry in entries] == [1, LOG_SECONDS]


def test_descriptors_are_kept_for_what_is_not_a_connection() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1_000, before[1]))
        most = most_connections()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert 250 <= most < 936


@pytest.fixture
def server_of_256_descriptors(sqlite_template: Path, tmp_path: Path) -> Any:
    installation = Installation(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data")
    with installation.serving(descriptors_max=256) as server:
        yield server


def silent(server: ServerProcess, count: int, *, sent: bytes, stack: ExitStack) -> list[socket.socket]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    found = []
    for _ in range(count):
        connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS))
        connection.sendall(sent)
        found.append(connection)
    return found


FORM: Final = b"Host: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 999\r\n\r\nabc"


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET / HTTP/1.1\r\nX: ", b"POST /login HTTP/1.1\r\n" + FORM],
    ids=["no byte", "half a head", "half a body"],
)
@pytest.mark.timeout(240)
def test_320_silent_connections_against_256_descriptors_leave_readers_served(
    server_of_256_descriptors: ServerProcess, sent: bytes
) -> None:
    server = server_of_256_descriptors
    with ExitStack() as stack:
        silent(server, 320, sent=sent, stack=stack)
        # Bodies may have been sent a moment ago; what has paused for two seconds is silent.
        deadline = time.monotonic() + 8
        statuses: list[int] = []
        while time.monotonic() < deadline:
            try:
                statuses.append(httpx.get(f"{server.url}/healthz", timeout=10).status_code)
            except httpx.TransportError:
                statuses.append(0)
            time.sleep(0.1)
        with httpx.Client(base_url=server.url, timeout=10) as reader:
            pages = [reader.get(path).status_code for path in ("/", "/api/v1/artists", "/login") for _ in range(5)]
    assert set(statuses[len(statuses) // 2 :]) == {200}, server.log()[-3_000:]
    assert set(pages) == {200}
    wait_until(lambda: "http.connections_full" in server.log())
    assert "Traceback" not in server.log()
    assert server.stop() == 0

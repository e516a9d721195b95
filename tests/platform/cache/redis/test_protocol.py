"""The protocol of a Redis server, without one: bytes in, replies out."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
import redis

from fairground.platform.cache.redis.connections import ServerConnection
from fairground.platform.cache.redis.protocol import Command, Reply, ServerProtocol, encode_commands
from fairground.platform.cache.shared_level import LevelUnavailable

PING: Command = ("PING",)
REPLIES: tuple[tuple[bytes, Reply], ...] = (
    (b"+OK\r\n", b"OK"),
    (b":-7\r\n", -7),
    (b"_\r\n", None),
    (b"$-1\r\n", None),
    (b"*-1\r\n", None),
    (b"#t\r\n", True),
    (b",1.5\r\n", 1.5),
    (b"$0\r\n\r\n", b""),
    (b"$6\r\n\r\n*1\r\n\r\n", b"\r\n*1\r\n"),
    (b"=9\r\ntxt:plain\r\n", b"plain"),
    (b"*3\r\n:1\r\n*1\r\n$-1\r\n$2\r\nab\r\n", [1, [None], b"ab"]),
    (b"~1\r\n:1\r\n", [1]),
    (b"%1\r\n+proto\r\n:3\r\n", {b"proto": 3}),
)


class Wire(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_aborted = False

    def write(self, data: Any) -> None:
        self.sent += data

    def abort(self) -> None:
        self.is_aborted = True


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def protocol(wire: Wire) -> ServerProtocol:
    protocol = ServerProtocol()
    protocol.connection_made(wire)
    return protocol


def feed(protocol: ServerProtocol, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        protocol.data_received(piece)


def test_commands_are_arrays_of_bytes_text_and_numbers() -> None:
    assert (
        encode_commands([("SET", b"\x00", 12), PING])
        == b"*3\r\n$3\r\nSET\r\n$1\r\n\x00\r\n$2\r\n12\r\n*1\r\n$4\r\nPING\r\n"
    )


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
async def test_replies_in_pieces_of_any_size_are_read(protocol: ServerProtocol, size: int) -> None:
    calls = [protocol.call([PING]) for _ in REPLIES]
    sent = b"".join(written for written, _ in REPLIES)
    feed(protocol, [sent[at : at + size] for at in range(0, len(sent), size)])
    assert [await call for call in calls] == [[reply] for _, reply in REPLIES]


async def test_replies_resolve_calls_in_order_past_a_cancelled_one(protocol: ServerProtocol) -> None:
    first, second, third = (protocol.call([PING] * count) for count in (1, 2, 1))
    first.cancel()
    feed(protocol, [b":1\r\n:2\r\n", b"-ERR no\r\n:4\r\n"])
    two, refusal = await second
    assert (two, str(refusal), await third) == (2, "ERR no", [4])
    assert isinstance(refusal, redis.ResponseError)
    assert protocol.calls == 0


async def test_push_between_replies_is_a_message(protocol: ServerProtocol) -> None:
    call = protocol.call([PING, PING])
    feed(protocol, [b":1\r\n>2\r\n+message\r\n+a\r\n:2\r\n"])
    assert await call == [1, 2]
    assert await protocol.receive() == [b"message", b"a"]


@pytest.mark.parametrize("broken", [b"hello\r\n", b"$x\r\n", b":\r\n", b"%1\r\n*0\r\n:1\r\n"])
async def test_bytes_of_no_redis_end_the_connection(protocol: ServerProtocol, wire: Wire, broken: bytes) -> None:
    call = protocol.call([PING])
    protocol.data_received(broken)
    with pytest.raises(ValueError, match="no Redis"):
        await call
    assert wire.is_aborted
    assert not protocol.is_open
    with pytest.raises(ValueError, match="no Redis"):
        protocol.send([PING])


async def test_lost_connection_fails_every_call_and_message(protocol: ServerProtocol) -> None:
    calls = [protocol.call([PING]) for _ in range(2)]
    protocol.connection_lost(None)
    for waiting in (*calls, protocol.receive(), protocol.receive()):
        with pytest.raises(ConnectionError, match="closed by server"):
            await waiting


async def test_callers_share_one_attempt_to_connect() -> None:
    attempts = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        await reader.read(1)
        writer.write(b"-NOAUTH no\r\n-NOAUTH no\r\n")
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        connection = ServerConnection(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        results = await asyncio.gather(*(connection.exchange([PING]) for _ in range(20)), return_exceptions=True)
    assert attempts == 1
    assert {str(result) for result in results} == {"NOAUTH no"}
    assert all(isinstance(result, LevelUnavailable) for result in results)

"""Requests as bytes: what is malformed is refused, and what is well-formed is answered however it is cut."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from fairground.entrypoints import buffered_protocol
from fairground.entrypoints.buffered_protocol import BufferedHttpProtocol
from fairground.platform.http.request_heads import HEAD_MAX_BYTES, head_too_large
from tests.support.wire import exchange, parse, serving

HOST = b"Host: 127.0.0.1\r\n"
CHUNKED = b"POST /a HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with what was understood of a request; /slow takes a moment."""
    request = Request(scope, receive, send)
    try:
        body = await request.body()
    except ClientDisconnect:
        return
    if request.url.path == "/slow":
        await asyncio.sleep(0.1)
    fields = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]]
    answer = {"method": request.method, "path": scope["path"], "fields": fields, "body_bytes": len(body)}
    await JSONResponse(answer)(scope, receive, send)


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(echo) as port:
        yield port


def request(path: str, *, body_bytes: int = 0, is_last: bool = False) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {body_bytes}"]
    if is_last:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode() + b"x" * body_bytes


TRAILERS = [
    ("Authorization", "Bearer secret"),
    ("Cookie", "a=b"),
    ("X-Forwarded-For", "192.0.2.9"),
    ("Idempotency-Key", "k"),
    ("Host", "evil.example"),
    ("X-Http-Method-Override", "DELETE"),
]
FRAMING_TRAILERS = [
    ("Content-Length", "100"),
    ("Transfer-Encoding", "gzip"),
    ("Connection", "close"),
    ("Proxy-Connection", "close"),
    ("Upgrade", "h2c"),
]


async def answer_with_trailer(port: int, name: str, value: str) -> Any:
    trailer = f"{name}: {value}\r\n".encode()
    wire = await exchange(port, CHUNKED + b"3\r\nabc\r\n0\r\n", trailer + b"\r\n" + LAST)
    first, last = parse(wire)
    assert (first.status_code, last.status_code, last.json()["path"]) == (200, 200, "/last")
    return first.json()


@pytest.mark.parametrize(("name", "value"), TRAILERS)
async def test_trailer_is_not_added_to_the_headers(port: int, name: str, value: str) -> None:
    answer = await answer_with_trailer(port, name, value)
    assert answer["fields"] == [["host", "127.0.0.1"], ["transfer-encoding", "chunked"]]
    assert answer["body_bytes"] == 3


@pytest.mark.parametrize("is_cut", [False, True])
@pytest.mark.parametrize(("name", "value"), FRAMING_TRAILERS)
async def test_trailer_about_framing_is_refused(port: int, name: str, value: str, *, is_cut: bool) -> None:
    wire = CHUNKED + b"3\r\nabc\r\n0\r\n" + f"{name}: {value}\r\n\r\n".encode()
    (answer,) = parse(await exchange(port, *([wire, LAST] if is_cut else [wire + LAST])))
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")


async def test_control_without_the_guard_a_trailer_is_a_header(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    complete = BufferedHttpProtocol.on_headers_complete

    def complete_and_go_on(protocol: BufferedHttpProtocol) -> None:
        complete(protocol)
        protocol.headers = protocol.scope["headers"]  # type: ignore[assignment]

    monkeypatch.setattr(BufferedHttpProtocol, "on_headers_complete", complete_and_go_on)
    answer = await answer_with_trailer(port, "Authorization", "Bearer secret")
    assert ["authorization", "Bearer secret"] in answer["fields"]


def cuts(whole: bytes, at: Sequence[int]) -> list[bytes]:
    ends = [*sorted(at), len(whole)]
    return [whole[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


async def statuses_of_cut_heads(port: int, *, rounds: int = 40) -> list[int]:
    """Send requests with bodies over connections, cut at random places, most of them inside a head."""
    rng = random.Random(8)
    found: list[int] = []
    for _ in range(rounds):
        sizes = [rng.choice([0, 1, 70_000, 140_000]) for _ in range(rng.choice([1, 1, 2, 5]))]
        requests = [request("/a", body_bytes=size) for size in sizes]
        requests[-1] = request("/a", body_bytes=sizes[-1], is_last=True)
        whole, begin = b"".join(requests), len(b"".join(requests[:-1]))
        at = {begin + rng.randrange(1, 60), *(rng.randrange(1, len(whole)) for _ in range(rng.randrange(3)))}
        try:
            answers = parse(await exchange(port, *cuts(whole, sorted(at))))
        except ConnectionError:
            found.append(0)
            continue
        found += [answer.status_code for answer in answers]
        found += [0] * (len(requests) - len(answers))
        sent = zip(answers, sizes, strict=False)
        assert all(answer.json()["body_bytes"] == size for answer, size in sent if answer.status_code == 200)
    return found


async def test_head_in_pieces_before_a_large_body_is_answered(port: int) -> None:
    statuses = await statuses_of_cut_heads(port)
    assert len(statuses) >= 40
    assert set(statuses) == {200}


async def test_control_counting_bodies_as_heads_refuses_requests(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def count_whole_packets(protocol: BufferedHttpProtocol, packet: bytes) -> None:
        if protocol._is_deaf:
            return
        if protocol._part == buffered_protocol._HEAD and len(packet) > HEAD_MAX_BYTES:
            protocol._refuse(head_too_large())
        else:
            HttpToolsProtocol.data_received(protocol, packet)

    monkeypatch.setattr(BufferedHttpProtocol, "data_received", count_whole_packets)
    assert {0, 431} & set(await statuses_of_cut_heads(port))


@pytest.mark.parametrize("first", ["/a", "/slow"])
async def test_5000_pipelined_requests_in_one_write_are_answered_in_order(port: int, first: str) -> None:
    paths = [first, *(f"/{number}" for number in range(1, 4_999)), "/last"]
    requests = [b"GET %s HTTP/1.1\r\n%s\r\n" % (path.encode(), HOST) for path in paths[:-1]]
    answers = parse(await exchange(port, b"".join([*requests, LAST])))
    assert [answer.json()["path"] for answer in answers] == paths
    assert {answer.status_code for answer in answers} == {200}


def head_of(size_bytes: int) -> bytes:
    """Return a head of exactly this size, in fields of 1 KiB."""
    start = b"GET /a HTTP/1.1\r\n" + HOST + b"Connection: close\r\n"
    left = size_bytes - len(start) - len(b"\r\n")
    fields = []
    while left > 0:
        length = left if left < 2_048 else 1_024
        fields.append(b"X: " + b"x" * (length - len(b"X: \r\n")) + b"\r\n")
        left -= length
    head = start + b"".join(fields) + b"\r\n"
    assert len(head) == size_bytes
    return head


@pytest.mark.parametrize("piece_bytes", [1_448, 4_096, 40_000, 1_000_000])
@pytest.mark.parametrize(("over_bytes", "status"), [(0, 200), (1, 431), (40_000, 431)])
async def test_head_is_refused_by_its_size_however_it_comes(
    port: int, piece_bytes: int, over_bytes: int, status: int
) -> None:
    head = head_of(HEAD_MAX_BYTES + over_bytes)
    pieces = [head[start : start + piece_bytes] for start in range(0, len(head), piece_bytes)]
    (answer,) = parse(await exchange(port, *pieces, pause_seconds=0.001))
    assert answer.status_code == status
    if status == 431:
        assert (answer.json()["code"], answer.headers["connection"]) == ("request.head_too_large", "close")


async def test_requests_before_a_refused_one_are_answered(port: int) -> None:
    before = b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n" + request("/a", body_bytes=3)
    for refused, status in ((head_of(HEAD_MAX_BYTES + 1), 431), (b"GET / HTTP/1.1\r\n\r\n", 400), (b"\x16\x03", 400)):
        answers = parse(await exchange(port, before + refused + LAST))
        assert [answer.status_code for answer in answers] == [200, 200, status]


async def test_endless_trailer_is_refused(port: int) -> None:
    for endless in (b"X: " + b"x" * 200_000, b"X: x\r\n" * 40_000):
        pieces = [endless[start : start + 10_000] for start in range(0, len(endless), 10_000)]
        (answer,) = parse(await exchange(port, CHUNKED + b"0\r\n", *pieces, pause_seconds=0.001))
        assert answer.status_code == 431


async def test_large_chunks_are_not_counted_as_trailers(port: int) -> None:
    body = b"".join(b"30000\r\n" + b"x" * 0x30000 + b"\r\n" for _ in range(3))
    pieces = [body[start : start + 10_007] for start in range(0, len(body), 10_007)]
    first, _ = parse(await exchange(port, CHUNKED, *pieces, b"0\r\n\r\n" + LAST, pause_seconds=0))
    assert (first.status_code, first.json()["body_bytes"]) == (200, 3 * 0x30000)


GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST / HTTP/1.1\r\n" + HOST
MALFORMED = {
    "two hosts": GET + HOST + b"\r\n",
    "two different hosts": GET + b"Host: evil.example\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "other scheme": b"GET ftp://127.0.0.1/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "authority form": b"GET 127.0.0.1:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "connect": b"CONNECT evil.example:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "asterisk for GET": b"GET * HTTP/1.1\r\n" + HOST + b"\r\n",
    "relative path": b"GET me HTTP/1.1\r\n" + HOST + b"\r\n",
    "line folding": GET + b"X: a\r\n b\r\n\r\n",
    "line folding at once": b"GET / HTTP/1.1\r\n X: a\r\n" + HOST + b"\r\n",
    "bare LF": b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    "bare LF in a field": GET + b"X: a\nContent-Length: 3\r\n\r\nabc",
    "bare CR in a field": GET + b"X: a\rContent-Length: 3\r\n\r\nabc",
    "length and chunks": POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "hexadecimal length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "length beyond 64 bits": POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc",
    "chunks not last": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "almost chunked": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"POST / HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "vertical tab before the coding": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunk size of letters": CHUNKED + b"xyz\r\nabc\r\n0\r\n\r\n",
    "negative chunk size": CHUNKED + b"-3\r\nabc\r\n0\r\n\r\n",
    "chunk size with 0x": CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n",
    "chunk size with a blank": CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n",
    "chunk size beyond 64 bits": CHUNKED + b"100000000000000003\r\nabc\r\n0\r\n\r\n",
    "LF after the chunk size": CHUNKED + b"3\nabc\r\n0\r\n\r\n",
    "LF in a chunk extension": CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n",
    "chunk longer than said": CHUNKED + b"2\r\nabc\r\n0\r\n\r\n",
    "blank before the colon": GET + b"X : a\r\n\r\n",
    "blank before the colon of Host": b"GET / HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n",
    "blank before the colon of the length": POST + b"Content-Length : 3\r\n\r\nabc",
    "no name": GET + b": a\r\n\r\n",
    "no colon": GET + b"Xa\r\n\r\n",
    "NUL in a value": GET + b"X: a\x00b\r\n\r\n",
    "NUL in a name": GET + b"X\x00: ab\r\n\r\n",
    "NUL in the path": b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
    "upgrade with a body": POST + b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc",
    "unknown method": b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_malformed_request_is_refused_and_nothing_after_it_is_read(port: int, name: str) -> None:
    (answer,) = parse(await exchange(port, MALFORMED[name], LAST))
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("wire", "status", "code"),
    [
        (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "request.transfer_coding_unknown"),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505, "request.version_not_supported"),
        (b"GET / HTTP/0.9\r\n" + HOST + b"\r\n", 505, "request.version_not_supported"),
        (b"GET /\r\n\r\n", 505, "request.version_not_supported"),
    ],
)
async def test_unsupported_protocol_is_refused(port: int, wire: bytes, status: int, code: str) -> None:
    (answer,) = parse(await exchange(port, wire, LAST))
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_address_in_absolute_form_replaces_the_host(port: int) -> None:
    for target, host in ((b"http://evil.example:81/me?a=b", "evil.example:81"), (b"HTTPS://a@b/me", "a@b")):
        (answer,) = parse(
            await exchange(port, b"GET " + target + b" HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        )
        assert answer.json()["path"] == "/me"
        assert [value for name, value in answer.json()["fields"] if name == "host"] == [host]


async def test_request_after_an_upgrade_is_not_read(port: int) -> None:
    upgrade = GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    for pieces in ([upgrade + LAST], [upgrade, LAST]):
        (answer,) = parse(await exchange(port, *pieces))
        assert (answer.status_code, answer.json()["path"], answer.headers["connection"]) == (200, "/", "close")


async def test_refusal_reaches_a_client_that_is_still_sending(port: int) -> None:
    """A reset instead would take the refusal from the client's buffer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\n" + HOST + HOST + b"Content-Length: 9000000\r\n\r\n")
    for _ in range(20):
        writer.write(b"x" * 50_000)
        await writer.drain()
        await asyncio.sleep(0.005)
    wire = await reader.read()
    assert json.loads(wire.partition(b"\r\n\r\n")[2])["code"] == "request.malformed"
    writer.close()

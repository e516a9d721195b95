"""The cache of heads sends what the parser's way sends, for any bytes and in any pieces.

Two servers of one application get the same bytes: one with the cache of heads, one without. The test sets their clock,
so whole responses must be equal. Each head is sent often enough to be stored, with invalidations and seconds between.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.cached_app import CachedApp, open_cached_app
from tests.support.proofs import Dose
from tests.support.protocols import Connection
from tests.support.wire import serving

Figures = Callable[[str, float, str], None]
REPEATS: Final = 4
PATHS: Final = (
    b"/api/v1/kept", b"/api/v1/kept/", b"/api/v1/large", b"/api/v1/kept?x=1", b"/api/v1/kept?utm_source=a",
    b"/api/v1/slow", b"/api/v1/picture", b"/api/v1/none", b"/api/v1/k%65pt", b"http://127.0.0.1/api/v1/kept", b"*",
    b"/healthz",
)  # fmt: skip
METHODS: Final = (b"GET",) * 12 + (b"HEAD", b"POST", b"OPTIONS", b"PUT")
HOSTS: Final = (b"Host: 127.0.0.1",) * 8 + (
    b"host: localhost",
    b"Host: elsewhere.example",
    b"HOST:127.0.0.1",
    b"Host: [::1]",
)
FIELDS: Final = (
    b"Accept: */*", b"Accept-Encoding: br", b"Accept-Encoding: gzip, br;q=0", b"Accept-Encoding: identity;q=0, *;q=0",
    b"If-None-Match: *", b'If-None-Match: "p"', b"User-Agent: fuzz", b"X-Padding: \t a", b"Cookie: a=b",
    b"Authorization: Bearer none", b"Connection: close", b"Connection: keep-alive", b"Content-Length: 0",
    b"Expect: 100-continue", b"Upgrade: websocket", b"Range: bytes=0-3", b"X-Folded: a\r\n b",
    b"Host: 127.0.0.1", b"TE: trailers",
)  # fmt: skip
BODIES: Final = (
    (b"Content-Length: 5", b"hello"),
    (b"Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"),
    (b"Content-Type: application/json\r\nContent-Length: 13", b'{"words":"a"}'),
)
BYTES: Final = b"\r\n\t :;,=\x00\x7f\xff/?GETHhost1.0"


class Requests:
    """Generates heads of requests, good ones and broken ones."""

    def __init__(self, seed: int, etag: bytes) -> None:
        self._random = random.Random(seed)
        self._fields = (*FIELDS, b"If-None-Match: " + etag, b"if-none-match: W/" + etag)

    def generate(self) -> bytes:
        chance = self._random
        version = b"HTTP/1.0" if chance.random() < 0.03 else b"HTTP/1.1"
        lines = [b"%s %s %s" % (chance.choice(METHODS), chance.choice(PATHS), version)]
        lines += [chance.choice(HOSTS)] if chance.random() > 0.02 else []
        lines += chance.sample(self._fields, k=chance.choice((0, 0, 1, 1, 2, 3)))
        body = b""
        if chance.random() < 0.08:
            field, body = chance.choice(BODIES)
            lines.append(field)
        end = b"\n" if chance.random() < 0.03 else b"\r\n"
        wire = end.join(lines) + end + end + body
        return self._mutate(wire) if chance.random() < 0.4 else wire

    def _mutate(self, wire: bytes) -> bytes:
        """Change, insert or remove a few bytes, but never so that the head has no end."""
        chance, changed = self._random, bytearray(wire)
        for _ in range(chance.choice((1, 1, 2, 3))):
            at = chance.randrange(len(changed))
            kind = chance.randrange(3)
            if kind == 0:
                changed[at] = chance.choice(BYTES)
            elif kind == 1:
                changed.insert(at, chance.choice(BYTES))
            else:
                del changed[at]
        return bytes(changed) if b"\r\n\r\n" in changed else wire

    def choice(self, most: int) -> int:
        return self._random.randrange(most)


class Pair:
    """A connection to each of the two servers, which get the same."""

    def __init__(self, app: CachedApp) -> None:
        self._app = app
        self._reference = app.reference.connect()
        self._tested = app.server.connect()
        self.compared = 0

    async def send(self, *pieces: bytes) -> None:
        """Send the same to both, and compare all that they answer and whether they close."""
        expected = await self._reference.send(*pieces)
        found = await self._tested.send(*pieces)
        if found != expected and b"x-cache: HIT" in found:
            # The reference was the first to ask, so it was a miss; or it was the last to get a stale answer.
            self._reconnect_if(self._reference)
            expected = await self._reference.send(*pieces)
        assert found == expected, pieces
        assert self._reference.is_open == self._tested.is_open, pieces
        self.compared += 1
        if not self._tested.is_open or _waits(self._tested):
            self.reconnect()

    def _reconnect_if(self, connection: Connection) -> None:
        if not connection.is_open or _waits(connection):
            connection.close()
            self._reference = self._app.reference.connect()

    def reconnect(self) -> None:
        for connection in (self._reference, self._tested):
            connection.close()
        self._reference, self._tested = self._app.reference.connect(), self._app.server.connect()


def _waits(connection: Connection) -> bool:
    """Return whether more of a request is expected, so that the next one would become its rest."""
    is_answered = getattr(connection.protocol.cycle, "response_complete", True)
    return connection.protocol._part != 0 or not is_answered


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[CachedApp]:
    async with open_cached_app(tmp_path) as opened:
        yield opened


def _pass_time(app: CachedApp, number: int) -> None:
    """Invalidate, and let a second begin, now and then."""
    if number % 97 == 0:
        app.words = f"words {number}"
        app.cache.tags.invalidate(["kept", "large"])
    if number % 53 == 0:
        app.clock += 0.4
    if number % 131 == 0:
        for server in (app.server, app.reference):
            server.set_date(f"second {number}")


def _count_hits(app: CachedApp, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Count what is answered from the cache of heads: a run without any would prove nothing."""
    counts: Counter[str] = Counter()
    find = app.heads.find

    def counted(*arguments: object, **more: object) -> bytes | None:
        found = find(*arguments, **more)  # type: ignore[arg-type]
        counts["repeated" if found is not None else "read"] += 1
        return found

    monkeypatch.setattr(app.heads, "find", counted)
    return counts


async def test_whole_heads_are_answered_alike(
    app: CachedApp, figure: Figures, dose: Dose, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, pair = Requests(1, await app.etag()), Pair(app)
    counts = _count_hits(app, monkeypatch)
    for number in range(dose(small=1_500, full=1_000_000 // REPEATS)):
        head = requests.generate()
        for _ in range(REPEATS):
            await pair.send(head)
        _pass_time(app, number)
    figure("heads answered alike", pair.compared, "requests")
    figure("of them from the cache of heads", counts["repeated"], "requests")
    assert counts["repeated"] > pair.compared / 20


async def test_heads_in_two_pieces_are_answered_alike(app: CachedApp, figure: Figures, dose: Dose) -> None:
    requests, pair = Requests(2, await app.etag()), Pair(app)
    heads = dose(small=40, full=5_000)
    for number in range(heads):
        head = requests.generate()
        for _ in range(REPEATS):
            await pair.send(head)
        for at in range(1, len(head)):
            await pair.send(head[:at], head[at:])
        _pass_time(app, number)
    figure("heads split at every byte", heads, "heads")
    figure("requests in two pieces", pair.compared, "requests")


async def test_pipelined_heads_are_answered_alike(
    app: CachedApp, figure: Figures, dose: Dose, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests, pair = Requests(3, await app.etag()), Pair(app)
    counts = _count_hits(app, monkeypatch)
    pool = [requests.generate() for _ in range(200)]
    for number in range(dose(small=1_000, full=100_000)):
        mix = b"".join(pool[requests.choice(len(pool))] for _ in range(1 + requests.choice(4)))
        for _ in range(2):
            await pair.send(mix)
        _pass_time(app, number)
    figure("packets of pipelined requests answered alike", pair.compared, "packets")
    assert counts["repeated"] > 0


async def test_control_cache_that_takes_some_heads_for_others_is_noticed(
    app: CachedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair(app)
    head = b"GET /api/v1/kept HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    for _ in range(REPEATS):
        await pair.send(head)
    monkeypatch.setattr(app.heads, "find", _find_by_length(app.heads.find))
    await pair.send(head)
    with pytest.raises(AssertionError):
        await pair.send(head.replace(b"/kept", b"/none"))


def _find_by_length(find: Callable[..., bytes | None]) -> Callable[..., bytes | None]:
    items: dict[int, bytes] = {}

    def found(head: bytes, **more: object) -> bytes | None:
        wire = find(head, **more)
        return items.setdefault(len(head), wire) if wire is not None else items.get(len(head))

    return found


async def test_no_answer_is_older_than_the_last_invalidation(app: CachedApp, figure: Figures, dose: Dose) -> None:
    """Clients ask on kept connections while words change; servers drain and begin again."""
    seconds = dose(small=5, full=600)
    counts: Counter[str] = Counter()
    until = time.monotonic() + seconds
    version = 0

    async def ask(port: int, stop_at: float, number: int) -> None:
        head = b"GET /api/v1/kept HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Client: %d\r\n\r\n" % (number % 20)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.monotonic() < stop_at:
            least = version
            writer.write(head)
            try:
                answer = await reader.readuntil(b"\r\n\r\n")
                length = int(answer.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                # A drained server closes between two answers, never within one.
                counts["cut"] += bool(getattr(error, "partial", b""))
                counts["closed"] += 1
                break
            counts["answers"] += 1
            counts["old"] += int(body.partition(b"version ")[2].partition(b'"')[0]) < least
        writer.close()

    async def change(stop_at: float) -> None:
        nonlocal version
        while time.monotonic() < stop_at:
            app.words = f"version {version + 1}"
            app.cache.tags.invalidate(["kept"])
            version += 1
            await asyncio.sleep(random.uniform(0, 0.05))

    async def tick(stop_at: float) -> None:
        while time.monotonic() < stop_at:
            await asyncio.sleep(0.1)
            app.clock += 0.1

    app.words = "version 0"
    while time.monotonic() < until:
        stop_at = min(until, time.monotonic() + 2)
        async with asyncio.TaskGroup() as group, serving(app.app) as port:
            group.create_task(change(stop_at))
            group.create_task(tick(stop_at))
            for number in range(20):
                # Half of them still ask when the server drains.
                group.create_task(ask(port, stop_at - 0.1 + number % 2, number))
            await asyncio.sleep(stop_at - time.monotonic())
        counts["drains"] += 1
    figure("answers while words changed", counts["answers"], "answers")
    figure("changes", version, "changes")
    figure("drains", counts["drains"], "drains")
    figure("answers older than a change before their request", counts["old"], "answers")
    assert (counts["old"], counts["cut"]) == (0, 0)
    assert counts["answers"] > 100

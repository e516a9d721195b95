"""A head that is sent again is answered by its bytes alone, exactly as the parser's way would answer it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from fairground.platform.http.caching import head_cache
from fairground.platform.http.caching.head_cache import HEAD_MAX_BYTES, is_plain
from tests.support.cached_app import CachedApp, open_cached_app
from tests.support.protocols import Connection

KEPT: Final = b"GET /api/v1/kept HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[CachedApp]:
    async with open_cached_app(tmp_path) as opened:
        yield opened


async def sent_often(app: CachedApp, head: bytes = KEPT, *, times: int = 3) -> Connection:
    connection = app.server.connect()
    for _ in range(times):
        await connection.send(head)
    return connection


async def test_third_request_is_answered_without_the_parser(app: CachedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = await sent_often(app)
    usual = await app.reference.connect().send(KEPT)
    monkeypatch.setattr(connection.protocol, "parser", None)
    assert await connection.send(KEPT) == usual
    assert usual.startswith(b"HTTP/1.1 200 OK\r\ndate: then\r\n")


async def test_hits_of_the_head_cache_are_counted(app: CachedApp) -> None:
    connection = await sent_often(app)
    before, total = app.cache.stats.served["kept", "HIT"], app.server.state.total_requests
    await connection.send(KEPT)
    assert (app.cache.stats.served["kept", "HIT"], app.server.state.total_requests) == (before + 1, total + 1)


async def test_not_modified_response_is_counted_as_such(app: CachedApp) -> None:
    etag = await app.etag()
    head = KEPT[:-2] + b"If-None-Match: " + etag + b"\r\n\r\n"
    connection = await sent_often(app, head)
    before = app.cache.stats.not_modified["kept"]
    assert (await connection.send(head)).startswith(b"HTTP/1.1 304 ")
    assert app.cache.stats.not_modified["kept"] == before + 1


async def test_immutable_response_is_repeated_and_counted_with_its_route(
    app: CachedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = KEPT.replace(b"/kept", b"/picture")
    connection = await sent_often(app, head, times=4)
    monkeypatch.setattr(connection.protocol, "parser", None)
    answer = await connection.send(head)
    assert answer.endswith(b"\r\n\r\npicture")
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert (app.pictures_made, app.requests.repeated) == (2, 3)
    assert app.requests.answered["GET", "/api/v1/picture", 200] == 5


async def test_invalidation_ends_every_stored_response(app: CachedApp) -> None:
    connection = await sent_often(app)
    app.words = "changed"
    app.cache.tags.invalidate(["kept"])
    assert b"changed" in await connection.send(KEPT)


async def test_control_without_the_check_of_the_generation_old_words_are_sent(
    app: CachedApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(app.app), "generation", 0)
    connection = await sent_often(app)
    app.words = "changed"
    app.cache.tags.invalidate(["kept"])
    assert b"changed" not in await connection.send(KEPT)


async def test_age_and_date_follow_the_clock(app: CachedApp) -> None:
    connection = await sent_often(app)
    app.clock += 1
    aged = await connection.send(KEPT)
    assert b"\r\nage: 1\r\n" in aged
    app.server.set_date("later")
    assert b"\r\ndate: later\r\n" in await connection.send(KEPT)


async def test_stale_entry_is_not_repeated(app: CachedApp) -> None:
    connection = await sent_often(app)
    fresh_seconds = int((await connection.send(KEPT)).partition(b"s-maxage=")[2].partition(b"\r\n")[0])
    app.clock += fresh_seconds + 1
    assert b"x-cache: STALE" in await connection.send(KEPT)


async def test_stopped_cache_is_not_repeated(app: CachedApp) -> None:
    connection = await sent_often(app)
    await app.stop()
    assert b"x-cache" not in await connection.send(KEPT)


async def test_closing_connection_gets_nothing_more(app: CachedApp) -> None:
    connection = await sent_often(app)
    connection.protocol.shutdown()
    assert (await connection.send(KEPT), connection.is_open) == (b"", False)


async def test_request_behind_an_unfinished_one_waits_for_its_turn(app: CachedApp) -> None:
    connection = await sent_often(app)
    sent = await connection.send(KEPT.replace(b"/kept", b"/slow"), KEPT)
    assert sent.index(b"slow") < sent.index(b"kept")
    sent = await connection.send(KEPT[:20], KEPT[20:])
    assert sent.count(b"HTTP/1.1 200 OK") == 1


async def test_idle_timer_of_repeated_requests_starts_at_the_last_one(app: CachedApp) -> None:
    connection = await sent_often(app)
    protocol = connection.protocol
    assert protocol.timeout_keep_alive_task is not None
    await connection.send(KEPT)
    protocol.timeout_keep_alive_handler()  # of a timer that was set by an earlier request
    assert connection.is_open
    protocol._repeated_at -= protocol.timeout_keep_alive + 1
    protocol.timeout_keep_alive_handler()
    assert not connection.is_open


async def test_first_request_of_a_connection_may_be_repeated_and_sets_its_timer(app: CachedApp) -> None:
    await sent_often(app)
    connection = app.server.connect()
    assert b"x-cache: HIT" in await connection.send(KEPT)
    assert getattr(connection.protocol, "cycle", None) is None
    assert connection.protocol.timeout_keep_alive_task is not None


async def test_head_that_is_sent_once_a_second_or_less_is_not_stored(app: CachedApp) -> None:
    connection = app.server.connect()
    for _ in range(5):
        await connection.send(KEPT)
        app.clock += 1.1
    assert len(app.heads) == 0


async def test_memory_is_bounded(app: CachedApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(head_cache, "MEMORY_MAX_BYTES", 20_000)
    connection = app.server.connect()
    for number in range(100):
        head = KEPT[:-2] + b"X-Number: %d\r\n\r\n" % number
        for _ in range(3):
            await connection.send(head)
        assert 0 < app.heads.bytes <= 20_000
    assert 1 <= len(app.heads) < 30


@pytest.mark.parametrize(
    "head",
    [
        KEPT.replace(b"GET", b"HEAD"),
        KEPT.replace(b"GET", b"POST"),
        KEPT.replace(b"GET /", b"GET http://127.0.0.1/"),
        KEPT.replace(b"\r\nHost", b"\nHost"),
        KEPT + b"\r\n",
        *(
            KEPT[:-2] + field + b"\r\n\r\n"
            for field in (
                b"Authorization: Bearer a",
                b"Cookie: a=b",
                b"cookie : a=b",
                b"Connection: close",
                b"Content-Length: 0",
                b"Transfer-Encoding: chunked",
                b"Expect: 100-continue",
                b"Upgrade: h2c",
                b"Range: bytes=0-1",
                b"host: 127.0.0.1",
                b"X-Folded: a\r\n b",
                b"X-Long: " + b"x" * HEAD_MAX_BYTES,
            )
        ),
    ],
)
def test_head_with_more_than_its_fields_is_not_recognised(head: bytes) -> None:
    assert not is_plain(head)


def test_plain_head_is_recognised() -> None:
    assert is_plain(KEPT[:-2] + b"Accept-Encoding: br\r\nX-Cookie: a\r\n\r\n")


@pytest.mark.parametrize("broken", [b"\tUT /api/v1/kept HTTP/1.1\r\n\r\n", b"GE/ /api/v1/kept HTTP/1.1\r\n\r\n"])
async def test_malformed_message_after_a_head_request_is_refused_with_its_body(app: CachedApp, broken: bytes) -> None:
    connection = app.server.connect()
    assert (await connection.send(KEPT.replace(b"GET", b"HEAD"))).endswith(b"\r\n\r\n")
    refused = await connection.send(broken)
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert refused.endswith(b"}")


async def test_head_request_that_is_refused_gets_no_body(app: CachedApp) -> None:
    refused = await app.server.connect().send(b"HEAD /api/v1/kept HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
    assert refused.startswith(b"HTTP/1.1 400 ")
    assert refused.endswith(b"\r\n\r\n")

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from fairground.platform.http.caching import immutable_responses
from fairground.platform.http.caching.immutable_responses import ImmutableResponseCache
from fairground.platform.http.request_counter import RequestStats
from tests.support.asgi import bodies_of, call

FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "ETag": '"a"', "Content-Type": "image/webp"}


class Pictures:
    """Answers with the response that a test sets, and counts requests."""

    def __init__(self) -> None:
        self.headers = FOREVER
        self.status = 200
        self.body = b"picture"
        self.calls = 0
        self.clock = 0.0
        self.stats = RequestStats()
        self.app = ImmutableResponseCache(self.answer, stats=self.stats, now=lambda: self.clock)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://fair.example")

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        await Response(self.body, status_code=self.status, headers=self.headers)(scope, receive, send)

    async def get(self, path: str = "/img?v=1", *, times: int = 1, **headers: str) -> httpx.Response:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        answers = [await self.client.get(path, headers=names) for _ in range(times)]
        return answers[-1]


@pytest.fixture
async def pictures() -> AsyncIterator[Pictures]:
    pictures = Pictures()
    yield pictures
    await pictures.client.aclose()


async def test_repeated_request_is_served_from_memory(pictures: Pictures) -> None:
    first, third = await pictures.get(), await pictures.get(times=2)
    assert (third.status_code, third.content, third.headers) == (200, b"picture", first.headers)
    assert (pictures.calls, pictures.stats.repeated) == (2, 1)


async def test_other_host_is_another_entry(pictures: Pictures) -> None:
    # The host is checked behind this cache.
    await pictures.get(times=3)
    calls = pictures.calls
    await pictures.client.get("/img?v=1", headers={"host": "elsewhere.example"})
    assert pictures.calls == calls + 1


async def test_single_request_is_not_stored(pictures: Pictures) -> None:
    await pictures.get()
    pictures.clock = immutable_responses.SECONDS + 1
    await pictures.get()
    await pictures.get()
    assert (pictures.calls, pictures.stats.repeated) == (3, 0)


async def test_removed_response_is_served_for_ten_seconds_at_most(pictures: Pictures) -> None:
    await pictures.get(times=2)
    pictures.status = 404
    assert (await pictures.get()).status_code == 200
    pictures.clock = immutable_responses.SECONDS
    assert (await pictures.get()).status_code == 404


async def test_known_etag_gets_304_without_a_body(pictures: Pictures) -> None:
    await pictures.get(times=2)
    known = await pictures.get(if_none_match='"b", W/"a"')
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", '"a"')
    assert {"content-type", "content-length"}.isdisjoint(known.headers)
    head = await call(pictures.app, "HEAD", "/img?v=1", headers={"host": "fair.example", **pictures.client.headers})
    assert (bodies_of(head), dict(head[0]["headers"])[b"content-length"]) == (b"", b"7")
    assert pictures.stats.repeated == 2


@pytest.mark.parametrize(
    ("name", "value"), [("accept", "image/avif"), ("accept-encoding", "br"), ("range", "bytes=0-1")]
)
async def test_other_accept_header_is_another_entry(pictures: Pictures, name: str, value: str) -> None:
    await pictures.get(times=2)
    await pictures.client.get("/img?v=1", headers={name: value})
    assert (pictures.calls, pictures.stats.repeated) == (3, 0)


async def test_repeated_accept_header_leaves_the_entry_of_its_second_value_intact(pictures: Pictures) -> None:
    # Routes use the first value, so their response must not be kept for the second.
    for _ in range(3):
        await pictures.client.get("/img?v=1", headers=[("accept", "image/avif"), ("accept", "image/webp")])
    assert pictures.stats.repeated == 1
    await pictures.get(accept="image/webp")
    assert pictures.stats.repeated == 1
    await pictures.get(accept="image/avif")
    assert pictures.stats.repeated == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "public, max-age=300"},
        {"Cache-Control": "private, immutable"},
        {"Vary": "Cookie"},
        {"Set-Cookie": "a=b"},
        {"ETag": ""},
    ],
)
async def test_mutable_and_private_responses_reach_the_route_each_time(
    pictures: Pictures, headers: dict[str, str]
) -> None:
    pictures.headers = {name: value for name, value in (FOREVER | headers).items() if value}
    await pictures.get(times=4)
    assert pictures.calls == 4


async def test_too_long_address_is_not_stored(pictures: Pictures) -> None:
    await pictures.get("/img?v=1&x=" + "x" * immutable_responses.KEY_MAX_BYTES, times=3)
    await pictures.client.get("/img?v=1", headers={"accept": "x" * immutable_responses.KEY_MAX_BYTES})
    assert (pictures.calls, pictures.stats.repeated) == (4, 0)


async def test_memory_is_limited(pictures: Pictures, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(immutable_responses, "MOST_BYTES", 5_000)
    for name in "abc":
        await pictures.get(f"/{name}", times=2)
    await pictures.get("/a")
    await pictures.get("/c")
    assert (pictures.calls, pictures.stats.repeated) == (7, 1)
    monkeypatch.setattr(immutable_responses, "LARGEST_BYTES", 6)
    await pictures.get("/large", times=3)
    assert pictures.calls == 10

import asyncio
import gzip
import re
import sys

import brotli
import httpx
import pytest
from starlette.types import Message

from fairground.platform.http.caching import middleware
from tests.platform.http.caching.conftest import NOT_FOUND, UNAVAILABLE, Site
from tests.support.asgi import bodies_of, call

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


def statuses(*responses: httpx.Response) -> list[str]:
    return [response.headers["x-cache"] for response in responses]


async def test_first_request_is_a_miss_and_second_a_hit_with_the_same_response(site: Site) -> None:
    miss, hit = await site.get("/things/a"), await site.get("/things/a")
    assert statuses(miss, hit) == ["MISS", "HIT"]
    assert miss.content == hit.content
    assert miss.headers["etag"] == hit.headers["etag"]
    assert miss.headers["cache-status"] == "fairground; fwd=uri-miss; stored"
    assert re.fullmatch(r"fairground; hit; ttl=\d+", hit.headers["cache-status"])
    assert (hit.headers["content-type"], hit.headers["vary"]) == ("application/json", "accept-encoding")
    assert re.fullmatch(r"public, max-age=0, s-maxage=\d+", hit.headers["cache-control"])
    assert hit.headers["cdn-cache-control"] == miss.headers["cdn-cache-control"]
    assert hit.headers["x-content-type-options"] == "nosniff"
    assert site.shop.calls == 1


async def test_age_counts_seconds_since_the_computation(site: Site) -> None:
    assert (await site.get("/things/a")).headers["age"] == "0"
    site.clock[0] += 7.9
    assert (await site.get("/things/a")).headers["age"] == "7"


@pytest.mark.parametrize(
    "path", ["/things/a", "/things/a/", "/things/a?page=1", "/things/%61", "/things/a?utm_source=x"]
)
async def test_spellings_of_the_same_request_share_an_entry(site: Site, path: str) -> None:
    await site.get("/things/a")
    assert statuses(await site.get(path)) == ["HIT"]


@pytest.mark.parametrize("path", ["/things/b", "/things/A", "/things/a?page=2", "/things"])
async def test_different_requests_have_different_entries(site: Site, path: str) -> None:
    await site.get("/things/a")
    assert statuses(await site.get(path)) == ["MISS"]


async def test_headers_of_the_caller_do_not_reach_the_route(site: Site) -> None:
    strange = {"cookie": "session=1", "authorization": "Bearer x", "x_forwarded_host": "evil", "accept_language": "nb"}
    poisoned = await site.get("/things/a", **strange, range="bytes=0-1", x_original_url="/private")
    assert poisoned.content == (await site.get("/things/a")).content
    assert site.shop.seen == [{"host": "fair.example"}]


async def test_foreign_host_is_refused_on_hit_and_miss(site: Site) -> None:
    for _ in range(2):
        assert (await site.get("/things/a", host="evil.example")).status_code == 421
        assert (await site.get("/things/a")).status_code == 200


@pytest.mark.parametrize("names", ['"{}"', 'W/"{}"', '"x", "{}"', "*"])
async def test_known_etag_gets_304(site: Site, names: str) -> None:
    etag = (await site.get("/things/a")).headers["etag"].strip('"')
    for _ in range(2):
        answer = await site.get("/things/a", if_none_match=names.format(etag))
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == f'"{etag}"'
        assert {"cache-control", "vary", "age", "x-cache"} <= set(answer.headers)
        assert not [name for name in answer.headers if name.startswith("content-")]


async def test_miss_with_a_known_etag_gets_304(site: Site) -> None:
    etag = (await site.get("/things/a")).headers["etag"]
    site.cache.memory.clear()
    answer = await site.get("/things/a", if_none_match=etag)
    assert (answer.status_code, answer.headers["x-cache"]) == (304, "MISS")


async def test_etag_of_another_path_coding_or_version_gets_200(site: Site) -> None:
    other = (await site.get("/things/b")).headers["etag"]
    coded = (await site.get("/things/a", accept_encoding="br")).headers["etag"]
    before = (await site.get("/things/a")).headers["etag"]
    assert len({other, coded, before}) == 3
    for etag in (other, coded):
        assert (await site.get("/things/a", if_none_match=etag)).status_code == 200
    site.shop.words = ["carousel"]
    site.cache.tags.invalidate(["thing:a"])
    assert (await site.get("/things/a", if_none_match=before)).status_code == 200


async def test_conditional_post_reaches_its_route(site: Site) -> None:
    etag = (await site.get("/things/a")).headers["etag"]
    answer = await site.client.post("/api/v1/things/a", headers={"if-none-match": etag})
    assert (answer.status_code, site.shop.made) == (200, 1)
    assert "x-cache" not in answer.headers


async def test_route_without_a_policy_is_not_cached(site: Site) -> None:
    for _ in range(2):
        answer = await site.get("/private", if_none_match="*")
        assert (answer.status_code, "x-cache" in answer.headers, "etag" in answer.headers) == (200, False, False)
    assert site.shop.calls == 2


@pytest.mark.parametrize("path", ["/things/a", "/things/a?unknown=1", "/things/a?page=0", "/private", "/things/"])
async def test_head_is_get_without_its_body(site: Site, path: str) -> None:
    for _ in range(2):  # a miss, and a hit where the path is cached
        head = await send(site, "HEAD", path)
        got = await send(site, "GET", path)
        assert (bodies_of(head), len(bodies_of(got)) > 0) == (b"", True)
        assert head[0]["status"] == got[0]["status"]
        assert names_and_lengths(head) == names_and_lengths(got)


async def test_head_with_a_known_etag_gets_304(site: Site) -> None:
    etag = (await site.get("/things/a")).headers["etag"]
    head = await send(site, "HEAD", "/things/a", **{"if-none-match": etag})
    assert (head[0]["status"], bodies_of(head)) == (304, b"")


async def test_head_of_a_refusal_or_a_failure_has_no_body(site: Site) -> None:
    for failure, status in ((NOT_FOUND, 404), (UNAVAILABLE, 503)):
        site.shop.failure = failure
        head = await send(site, "HEAD", f"/things/{status}")
        assert (head[0]["status"], bodies_of(head)) == (status, b"")


async def send(site: Site, method: str, path: str, **headers: str) -> list[Message]:
    headers = {"accept-encoding": "identity", **headers}
    return await call(site.app, method, f"/api/v1{path}", host="fair.example", headers=headers)


def names_and_lengths(answer: list[Message]) -> tuple[set[bytes], bytes]:
    fields = dict(answer[0]["headers"])
    return set(fields), fields[b"content-length"]


@pytest.mark.parametrize("query", ["unknown=1", "page=0", "page=x", "session=1&page=2"])
async def test_invalid_or_unknown_parameters_bypass_the_cache(site: Site, query: str) -> None:
    answers = [await site.get(f"/things/a?{query}") for _ in range(2)]
    assert statuses(*answers) == ["BYPASS", "BYPASS"]
    assert answers[0].headers["cache-status"].startswith("fairground; fwd=bypass; detail=")
    assert len(site.cache.memory) == 0


@pytest.mark.parametrize("accept_encoding", ["br", "gzip", "identity", "gzip, br;q=0.5", "deflate", "*"])
async def test_each_coding_decodes_to_the_same_bytes(site: Site, accept_encoding: str) -> None:
    plain = (await site.get("/things/a")).content
    for _ in range(2):
        answer = await site.get("/things/a", accept_encoding=accept_encoding)
        assert answer.content == plain
        assert answer.headers["vary"] == "accept-encoding"
        etag = answer.headers["etag"]
        again = await site.get("/things/a", accept_encoding=accept_encoding, if_none_match=etag)
        assert (again.status_code, again.headers["etag"]) == (304, etag)
    assert site.shop.calls == 1


async def test_body_is_in_the_coding_that_its_header_names(site: Site) -> None:
    plain = (await site.get("/things/a")).content
    for coding, decode in (("br", brotli.decompress), ("gzip", gzip.decompress), ("zstd", zstd.decompress)):
        async with site.client.stream("GET", "/api/v1/things/a", headers={"accept-encoding": coding}) as answer:
            raw = b"".join([chunk async for chunk in answer.aiter_raw()])
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["content-length"] == str(len(raw))
        assert decode(raw) == plain


async def test_small_response_is_sent_uncompressed(site: Site) -> None:
    answer = await site.get("/things/a?size=1", accept_encoding="br, gzip")
    assert "content-encoding" not in answer.headers


async def test_request_that_accepts_no_coding_is_refused(site: Site) -> None:
    answer = await site.get("/things/a", accept_encoding="identity;q=0, *;q=0")
    assert (answer.status_code, answer.json()["code"]) == (406, "request.coding_refused")
    coded = await site.get("/things/a?size=0", accept_encoding="identity;q=0, gzip")
    assert (coded.status_code, coded.headers["content-encoding"]) == (200, "gzip")


async def test_not_found_is_stored_until_its_tag_is_invalidated(site: Site) -> None:
    site.shop.failure = NOT_FOUND
    answers = [await site.get("/things/a") for _ in range(2)]
    assert [(answer.status_code, answer.headers["x-cache"]) for answer in answers] == [(404, "MISS"), (404, "HIT")]
    assert (await site.get("/things/a", if_none_match="*")).status_code == 404
    site.shop.failure = None
    site.cache.tags.invalidate(["thing:a"])
    assert (await site.get("/things/a")).status_code == 200


async def test_stale_response_is_served_while_the_database_is_unavailable(site: Site) -> None:
    fresh = await site.get("/things/a")
    site.shop.failure = UNAVAILABLE
    site.clock[0] += 300
    stale = await site.get("/things/a")
    assert (stale.status_code, stale.content) == (200, fresh.content)
    assert (stale.headers["x-cache"], stale.headers["etag"]) == ("STALE", fresh.headers["etag"])
    assert stale.headers["cache-status"].endswith("detail=failed")
    assert int(stale.headers["age"]) >= 300
    assert (await site.get("/things/a", if_none_match=fresh.headers["etag"])).status_code == 304
    cold = await site.get("/things/b")
    assert (cold.status_code, cold.headers["retry-after"]) == (503, "2")


async def test_failing_route_is_called_once_for_concurrent_requests_without_showing_its_error(site: Site) -> None:
    site.shop.failure = RuntimeError("a secret")
    answers = await asyncio.gather(*(site.get("/things/a") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {500}
    assert site.shop.calls == 1
    assert "secret" not in answers[0].text
    assert "etag" not in answers[0].headers


async def test_an_answer_that_takes_too_long_is_a_problem(site: Site) -> None:
    site.cache.settings = site.cache.settings.model_copy(update={"wait_seconds": 0.01})
    site.shop.gate.clear()
    answer = await site.get("/things/a")
    site.shop.gate.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    "headers", [{"set-cookie": "a=b"}, {"cache-control": "no-store"}, {"cache-control": "private"}, {"vary": "Cookie"}]
)
async def test_private_response_is_not_cached(site: Site, headers: dict[str, str]) -> None:
    site.shop.headers = headers
    answers = [await site.get("/things/a") for _ in range(2)]
    assert statuses(*answers) == ["MISS", "MISS"]
    assert len(site.cache.memory) == 0


async def test_figures_count_hits_misses_and_bypasses(site: Site) -> None:
    etag = (await site.get("/things/a")).headers["etag"]
    for _ in range(3):
        await site.get("/things/a", if_none_match=etag)
    await site.get("/things/a?unknown=1")
    stats = site.cache.stats
    assert stats.served == {("thing", "MISS"): 1, ("thing", "HIT"): 3, ("thing", "BYPASS"): 1}
    assert (stats.not_modified["thing"], stats.computed["thing"]) == (3, 1)


async def test_parsed_requests_are_bounded_in_number(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "PARSED_MAX", 10)
    for number in range(1, 31):
        await site.get(f"/things/a?page={number}")
    assert len(site.middleware._parsed) <= 10
    assert statuses(await site.get("/things/a?page=1")) == ["HIT"]


@pytest.mark.parametrize(
    ("path", "accept_encoding"),
    [
        ("/things/a", "gzip," + "x" * middleware.RAW_MAX_BYTES),
        ("/things/a?utm_source=" + "x" * (middleware.RAW_MAX_BYTES - 20), "gzip"),
        ("/things/a" + "/" * middleware.RAW_MAX_BYTES, "gzip"),
    ],
)
async def test_long_request_is_parsed_each_time(site: Site, path: str, accept_encoding: str) -> None:
    answers = [await site.get(path, accept_encoding=accept_encoding) for _ in range(2)]
    assert statuses(*answers) == ["MISS", "HIT"]
    assert not site.middleware._parsed


async def test_cache_that_is_not_running_passes_every_request_on(site: Site) -> None:
    site.cache._single_flight._group = None
    for _ in range(2):
        assert "x-cache" not in (await site.get("/things/a")).headers
    assert site.shop.calls == 2

"""Foreign hosts and forged requests are refused; every path has one form."""

import httpx
import pytest

pytestmark = pytest.mark.anyio
USER = {"Authorization": "Bearer 018f0000-0000-7000-8000-000000000001"}
COOKIE = {"Cookie": "a=b"} | USER


async def test_a_foreign_host_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.json()["code"] == "request.wrong_host"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
async def test_loopback_has_all_its_names(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"} | COOKIE, 201),
        ({"Sec-Fetch-Site": "none"} | COOKIE, 201),
        ({"Sec-Fetch-Site": "same-site"} | COOKIE, 403),
        ({"Sec-Fetch-Site": "cross-site"} | COOKIE, 403),
        ({"Origin": "http://127.0.0.1:8000"} | COOKIE, 201),
        ({"Origin": "http://127.0.0.1:9999"} | COOKIE, 403),
        ({"Origin": "null"} | COOKIE, 403),
        (COOKIE, 403),
        (USER, 201),
        ({"Sec-Fetch-Site": "cross-site"} | USER, 403),
    ],
)
async def test_a_change_with_a_cookie_must_come_from_our_own_pages(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/api/v1/things", "/api/v1/things/", "/api/v1/things//"])
async def test_every_path_answers_with_and_without_a_slash_and_never_redirects(
    client: httpx.AsyncClient, path: str
) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/things/%0A", "/api/v1/things%0a", "/api/v1/%00things", "/%7f"])
async def test_nothing_is_at_a_path_with_a_control_character(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


async def test_every_answer_has_the_safe_headers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/nowhere", "/api/v1/broken"):
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"

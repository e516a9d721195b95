"""Foreign hosts and forged requests are refused; the session cookie has safe flags."""

import httpx
import pytest
from fastapi import Response
from starlette.requests import Request
from starlette.responses import PlainTextResponse

from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Visitor
from fairground.platform.http.routing import api_router
from fairground.platform.http.security import COOKIE_NAME, CookieRefused, SecurityMiddleware, SessionCookie
from tests.platform.http.conftest import PUBLIC_URL, NameAuthenticator

USER = {"Authorization": "Bearer 018f0000-0000-7000-8000-000000000001"}
COOKIE = {"Cookie": "a=b"} | USER


MALFORMED_HOSTS = [
    *("evil.example@127.0.0.1", "localhost:evil.com", "localhost:80:80", "127.0.0.1:8000/", "127.0.0.1:-1", ""),
    *("[::1", "[::1]x", "::1", "127.0.0.1, evil.example", "127.0.0.1 evil", "127.0.0.1\\@evil", "127.0.0.1%00"),
]


@pytest.mark.parametrize("host", MALFORMED_HOSTS)
async def test_malformed_host_is_refused(client: httpx.AsyncClient, host: str) -> None:
    answer = await client.get("/healthz", headers={"Host": host})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed")


async def test_default_port_of_the_public_address_is_no_part_of_its_origin() -> None:
    for url in ("https://Fair.example", "https://fair.example:443"):
        security = SecurityMiddleware(PlainTextResponse("done"), public_url=url)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(security), base_url="https://fair.example"
        ) as client:
            statuses = [
                (await client.post("/", headers={"Origin": origin, "Cookie": "a=b"})).status_code
                for origin in ("https://fair.example", "https://fair.example:444", "http://fair.example")
            ]
        assert statuses == [200, 403, 403]


async def test_foreign_host_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"Host": "evil.example"})
    assert answer.status_code == 421
    assert answer.json()["code"] == "request.wrong_host"


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
async def test_every_loopback_name_is_accepted(client: httpx.AsyncClient, host: str) -> None:
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
        ({"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "cross-site"} | COOKIE, 403),
        ({"Referer": "http://127.0.0.1:8000/login"} | COOKIE, 403),
        (COOKIE, 403),
        (USER, 201),
        ({"Sec-Fetch-Site": "same-origin"} | USER, 201),
        ({"Sec-Fetch-Site": "cross-site"} | USER, 403),
        ({"Sec-Fetch-Site": "same-site"} | USER, 403),
        ({"Origin": "http://127.0.0.1:8000"} | USER, 201),
        ({"Origin": "http://LOCALHOST:8000"} | USER, 201),
        ({"Origin": "http://127.0.0.1"} | USER, 403),
        ({"Origin": "https://127.0.0.1:8000"} | USER, 403),
        ({"Origin": "https://evil.example"} | USER, 403),
        ({"Origin": "null"} | USER, 403),
        ({"Origin": ""} | USER, 403),
        ({"Referer": "http://127.0.0.1:8000/login?next=/"} | USER, 201),
        ({"Referer": "https://evil.example/form"} | USER, 403),
        ({"Referer": "http://127.0.0.1:8000.evil.example/"} | USER, 403),
        ({"Referer": "http://["} | USER, 403),
    ],
)
async def test_change_from_a_page_must_come_from_our_own(
    client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    answer = await client.post("/api/v1/things", json={"name": "a"}, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("path", ["/api/v1/things/%0A", "/api/v1/things%0a", "/api/v1/%00things", "/%7f"])
async def test_path_with_a_control_character_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "request.not_found")


async def test_every_response_has_the_security_headers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/nowhere", "/api/v1/broken"):
        answer = await client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize("headers", [{}, USER])
@pytest.mark.parametrize(
    ("path", "written", "sent"),
    [
        ("/for-all", "public, max-age=60", "public, max-age=60"),
        ("/for-one", "public, max-age=60", "private, no-store"),
        ("/for-one", "private, max-age=60", "private, max-age=60"),
    ],
)
async def test_response_of_a_route_that_looks_up_the_caller_is_private(
    db: Database, path: str, written: str, sent: str, headers: dict[str, str]
) -> None:
    router = api_router(tags=["things"])

    @router.get("/for-all")
    async def show(response: Response) -> None:
        response.headers["Cache-Control"] = written

    @router.get("/for-one")
    async def greet(_caller: Visitor, response: Response) -> None:
        response.headers["Cache-Control"] = written

    app = create_app(db=db, authenticator=NameAuthenticator(), api=[router], pages=[], public_url=PUBLIC_URL)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=PUBLIC_URL) as http:
        answer = await http.get(f"/api/v1{path}", headers=headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, sent)


def header_of(response: Response) -> str:
    return response.headers["set-cookie"].lower()


@pytest.mark.parametrize(
    "public_url", ["https://fair.example", "http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:8000"]
)
def test_cookie_is_set_on_loopback_and_over_https(public_url: str) -> None:
    SessionCookie(public_url=public_url).refuse_where_unsafe()


@pytest.mark.parametrize("public_url", ["http://fair.example", "http://192.0.2.10:8000", "http://localhost.example"])
def test_cookie_over_plain_http_is_refused_with_a_hint(public_url: str) -> None:
    with pytest.raises(CookieRefused) as refusal:
        SessionCookie(public_url=public_url).refuse_where_unsafe()

    assert public_url in refusal.value.detail
    assert "FAIRGROUND_PUBLIC_URL" in refusal.value.hint


def test_cookie_is_read_back_and_cleared_with_the_same_flags() -> None:
    cookie = SessionCookie(public_url="https://fair.example")
    stored, cleared = Response(), Response()
    cookie.set(stored, secret="s3cret")
    cookie.clear(cleared)

    sent = stored.headers["set-cookie"].split(";")[0].encode()
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", sent)]})
    assert cookie.read(request) == "s3cret"
    for header in (header_of(stored), header_of(cleared)):
        assert header.startswith(COOKIE_NAME.lower())
        assert all(flag in header for flag in ("secure", "httponly", "samesite=lax", "path=/"))
        assert "domain" not in header
    assert "max-age=0" in header_of(cleared)

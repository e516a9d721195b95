"""HEAD, OPTIONS and Allow follow from the routes of a path, with and without a trailing slash."""

from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message, Scope

from fairground.platform.http import methods
from fairground.platform.http.methods import HeadAndOptionsMiddleware, PathMethods
from tests.support.asgi import bodies_of, call


@pytest.fixture
def app(client: httpx.AsyncClient) -> ASGIApp:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    return transport.app


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/api/v1/things", "/api/v1/things/"])
async def test_head_is_get_without_the_body(app: ASGIApp, path: str) -> None:
    head, got = await call(app, "HEAD", path), await call(app, "GET", path)
    assert head[0] == got[0]
    assert (bodies_of(head), len(bodies_of(got)) > 0) == (b"", True)
    assert (b"content-length", b"%d" % len(bodies_of(got))) in head[0]["headers"]


async def test_head_of_a_missing_path_is_not_found(app: ASGIApp) -> None:
    head = await call(app, "HEAD", "/api/v1/nowhere")
    assert (head[0]["status"], bodies_of(head)) == (404, b"")


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/healthz", "GET, HEAD, OPTIONS"),
        ("/api/v1/things", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/things/", "GET, HEAD, OPTIONS, POST"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
async def test_options_and_405_name_the_methods_of_all_routes(client: httpx.AsyncClient, path: str, allow: str) -> None:
    options, refused = await client.options(path), await client.put(path)
    assert (options.status_code, options.headers["allow"], options.content) == (204, allow, b"")
    assert not [name for name in options.headers if name.startswith("access-control-")]
    assert (refused.status_code, refused.headers["allow"]) == (405, allow)
    assert refused.json()["code"] == "request.method_not_allowed"


@pytest.mark.parametrize("method", ["OPTIONS", "PUT", "POST"])
async def test_missing_path_is_not_found_by_any_method(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/nowhere")
    assert (answer.status_code, answer.json()["code"], "allow" in answer.headers) == (404, "request.not_found", False)


@pytest.mark.parametrize("path", ["/api/v1/things", "/healthz", "/nowhere"])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_too_large_body_is_a_problem_document(client: httpx.AsyncClient, path: str, *, is_chunked: bool) -> None:
    async def chunks() -> Any:
        for _ in range(3):
            yield b"x" * 500_000

    content: Any = chunks() if is_chunked else b"x" * 1_500_000
    answer = await client.post(path, content=content)
    assert answer.headers["content-type"] == "application/problem+json"
    if path == "/api/v1/things" or not is_chunked:
        assert (answer.status_code, answer.json()["code"]) == (413, "request.too_large")


def test_catch_all_route_makes_no_path_exist() -> None:
    known = PathMethods(
        [("/a/{b}", ["GET"]), ("/a/{b}/", ["POST"]), ("/{rest:path}", ["GET"]), ("/f/{p:path}", ["GET"])]
    )
    assert known.allowed("/a/1") == known.allowed("/a/1/") == "GET, HEAD, OPTIONS, POST"
    assert known.allowed("/f/1/2") == "GET, HEAD, OPTIONS"
    assert known.allowed("/x") == known.allowed("/a/1/2") == ""
    assert known.allowed("*") == "GET, HEAD, OPTIONS, POST"


async def test_route_that_handles_head_gets_the_request() -> None:
    methods_seen: list[str] = []

    async def app(scope: Scope, _receive: Any, send: Any) -> None:
        methods_seen.append(scope["method"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"body"})

    answering = HeadAndOptionsMiddleware(app, methods=PathMethods([("/a", ["GET"]), ("/a", ["HEAD"]), ("/b", ["GET"])]))
    answers = [await call(answering, "HEAD", path) for path in ("/a", "/b")]
    assert methods_seen == ["HEAD", "GET"]
    assert [bodies_of(answer) for answer in answers] == [b"", b""]


async def test_control_head_with_a_body_is_noticed(app: ASGIApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "_without_body", lambda send: send)
    head: list[Message] = await call(app, "HEAD", "/healthz")
    assert bodies_of(head) != b""


@pytest.mark.parametrize("path", ["/api/v1/things", "/api/v1/things/", "/api/v1/things//"])
async def test_path_is_served_with_and_without_a_trailing_slash(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200

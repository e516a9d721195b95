import gzip

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from fairground.platform.http.page_compression import PageCompression

pytestmark = pytest.mark.anyio

PAGE = "<p>The private page of one reader.</p>" * 100
OURS = {"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "gzip"}
ANSWERS: dict[str, Response] = {
    "/page": HTMLResponse(PAGE, headers={"Cache-Control": "private, no-cache", "Vary": "Cookie"}),
    "/small": HTMLResponse("<p>Nothing.</p>"),
    "/secret": HTMLResponse(PAGE, headers={"Cache-Control": "no-store"}),
    "/json": JSONResponse({"page": PAGE}),
    "/coded": HTMLResponse(gzip.compress(PAGE.encode()), headers={"Content-Encoding": "gzip"}),
    "/gone": Response(status_code=303, headers={"Location": "/page"}),
}


def _application() -> ASGIApp:
    def answer(path: str) -> Route:
        return Route(path, lambda _request: ANSWERS[path])

    streamed = Route("/streamed", lambda _request: StreamingResponse(iter([PAGE, PAGE]), media_type="text/html"))
    return PageCompression(Starlette(routes=[*map(answer, ANSWERS), streamed]))


async def _ask(path: str, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(_application()), base_url="http://here") as client:
        return await client.get(path, headers=headers)


@pytest.mark.parametrize("coding", ["br", "gzip"])
async def test_page_of_one_user_is_compressed(coding: str) -> None:
    answer = await _ask("/page", OURS | {"Accept-Encoding": coding})
    assert answer.text == PAGE
    assert answer.headers["content-encoding"] == coding
    assert int(answer.headers["content-length"]) < len(PAGE) / 10
    assert answer.headers["vary"] == "Cookie, Accept-Encoding"


@pytest.mark.parametrize("site", ["cross-site", "same-site", ""])
async def test_page_requested_by_another_site_is_not_compressed(site: str) -> None:
    answer = await _ask("/page", OURS | {"Sec-Fetch-Site": site})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(PAGE)


@pytest.mark.parametrize("path", ["/small", "/secret", "/json", "/gone", "/streamed"])
async def test_small_unstored_and_other_responses_are_not_compressed(path: str) -> None:
    answer = await _ask(path, OURS)
    assert "content-encoding" not in answer.headers
    assert answer.text == (PAGE * 2 if path == "/streamed" else bytes(ANSWERS[path].body).decode())


async def test_compressed_or_unrequested_coding_is_left_alone() -> None:
    assert (await _ask("/coded", OURS)).text == PAGE
    assert "content-encoding" not in (await _ask("/page", OURS | {"Accept-Encoding": "identity"})).headers

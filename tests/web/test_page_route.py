from collections.abc import AsyncIterator

import pytest
from fastapi import APIRouter, FastAPI, Request
from httpx import ASGITransport, AsyncClient
from starlette.responses import Response

from fairground.kernel.errors import Conflict, Forbidden, LimitExceeded, Unauthenticated, Unavailable
from fairground.verticals.loader import load_verticals
from fairground.web.addresses import local_path
from fairground.web.assets import Assets
from fairground.web.forms import read_form
from fairground.web.page_route import not_found_router, page_router, see_other
from fairground.web.rendering import Renderer

REFUSALS = {
    "sign-in": Unauthenticated("No caller is known."),
    "forbidden": Forbidden("Not you."),
    "conflict": Conflict("Not now <b>."),
    "often": LimitExceeded("Again?", retry_after_seconds=60),
    "away": Unavailable("No server answers."),
    "broken": RuntimeError("a secret detail"),
}

LARGEST_BYTES = 1_000


def _client() -> AsyncClient:
    renderer = Renderer(assets=Assets(), verticals=load_verticals())
    app = FastAPI(redirect_slashes=False)
    app.include_router(_refusing(page_router(renderer)))
    app.include_router(not_found_router(renderer))
    return AsyncClient(transport=ASGITransport(app=app), base_url="http://testserver")


def _refusing(router: APIRouter) -> APIRouter:
    @router.get("/refuse/{kind}")
    async def refuse(kind: str) -> Response:
        raise REFUSALS[kind]

    @router.get("/_f/refuse/{kind}")
    async def refuse_part(kind: str) -> Response:
        raise REFUSALS[kind]

    @router.post("/send", max_body_size=LARGEST_BYTES)
    @router.post("/_f/send", max_body_size=LARGEST_BYTES)
    async def take(request: Request) -> Response:
        await read_form(request)
        return Response(status_code=204)

    @router.get("/_f/lead")
    async def lead(request: Request) -> Response:
        return see_other("/elsewhere", request=request)

    return router


@pytest.mark.parametrize(("kind", "status"), [("forbidden", 403), ("conflict", 409), ("often", 429), ("broken", 500)])
async def test_a_refusal_is_a_page_of_the_same_design(kind: str, status: int) -> None:
    async with _client() as client:
        answer = await client.get(f"/refuse/{kind}")
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert 'class="site-header"' in answer.text
    assert "secret" not in answer.text
    assert "<b>" not in answer.text


@pytest.mark.parametrize(("kind", "seconds"), [("often", "60"), ("away", "2")])
@pytest.mark.parametrize("prefix", ["", "/_f"])
async def test_a_page_and_a_part_say_when_to_try_again(prefix: str, kind: str, seconds: str) -> None:
    async with _client() as client:
        assert (await client.get(f"{prefix}/refuse/{kind}")).headers["retry-after"] == seconds


async def test_page_without_a_session_redirects_to_sign_in_and_back() -> None:
    async with _client() as client:
        answer = await client.get("/refuse/sign-in?a=1&b=2")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2Frefuse%2Fsign-in%3Fa%3D1%26b%3D2"


async def test_a_part_is_refused_by_a_part() -> None:
    async with _client() as client:
        answer = await client.get("/_f/refuse/conflict")
        led = await client.get("/_f/refuse/sign-in")
        elsewhere = await client.get("/_f/lead")
    assert "<html" not in answer.text
    assert led.headers["hx-redirect"] == "/login"
    assert elsewhere.headers["hx-redirect"] == "/elsewhere"


async def _in_pieces(size_bytes: int) -> AsyncIterator[bytes]:
    """Yield a body in pieces, without a Content-Length."""
    for _ in range(size_bytes // 100):
        yield b"x" * 100


@pytest.mark.parametrize("path", ["/send", "/_f/send"])
async def test_too_large_or_unreadable_form_is_refused_with_a_message(path: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    async with _client() as client:
        fits = await client.post(path, content=_in_pieces(LARGEST_BYTES), headers=form)
        large = await client.post(path, content=_in_pieces(LARGEST_BYTES + 100), headers=form)
        unreadable = await client.post(path, content=b"x", headers={"content-type": "multipart/form-data; boundary=y"})
    assert (fits.status_code, large.status_code, unreadable.status_code) == (204, 413, 400)
    assert "The upload is too large" in large.text
    assert "couldn’t read" in unreadable.text


async def test_an_unknown_address_is_a_page_for_readers_but_not_for_programs() -> None:
    async with _client() as client:
        assert 'class="site-header"' in (await client.get("/nowhere/at/all")).text
        assert (await client.get("/api/v1/nowhere")).json() == {"detail": "Not Found"}


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "", None, "/a\nb", "javascript:1"]
)
def test_a_link_leads_to_no_other_site(wanted: str | None) -> None:
    assert local_path(wanted, otherwise="/home") == "/home"


def test_a_link_leads_to_a_path_of_ours() -> None:
    assert local_path("/book/ada?service=1", otherwise="/home") == "/book/ada?service=1"

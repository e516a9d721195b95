import pytest
from starlette.requests import Request
from starlette.responses import Response

from fairground.platform.http.cookies import NAME, CookieRefused, SessionCookie


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
    kept, cleared = Response(), Response()
    cookie.set(kept, secret="s3cret")
    cookie.clear(cleared)

    sent = kept.headers["set-cookie"].split(";")[0].encode()
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": [(b"cookie", sent)]})
    assert cookie.read(request) == "s3cret"
    for header in (header_of(kept), header_of(cleared)):
        assert header.startswith(NAME.lower())
        assert all(flag in header for flag in ("secure", "httponly", "samesite=lax", "path=/"))
        assert "domain" not in header
    assert "max-age=0" in header_of(cleared)

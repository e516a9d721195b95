"""The session cookie: one name, one set of flags, for the API and for the pages."""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.responses import Response

from fairground.kernel.errors import Forbidden
from fairground.platform.http.security import is_loopback

# The prefix makes browsers refuse the cookie from any other host, path or plain connection.
NAME: Final = "__Host-fairground_session"
# The server decides when a session ends; the cookie only has to outlive it, and browsers keep none longer than this.
_MAX_AGE_SECONDS: Final = 400 * 24 * 60 * 60


class CookieRefused(Forbidden):
    code = "identity.cookie_refused"


class SessionCookie:
    """Keeps a session's secret in the browser, where the connection protects it."""

    def __init__(self, *, public_url: str) -> None:
        self._public_url = public_url
        self.is_on_https = urlsplit(public_url).scheme == "https"
        self._is_safe = self.is_on_https or is_loopback(public_url)

    def refuse_where_unsafe(self) -> None:
        """Ask before the password is looked at.

        Raises:
            CookieRefused: People reach us without encryption, so browsers would not keep the cookie, nor should they.
        """
        if not self._is_safe:
            raise CookieRefused(
                f"Signing in needs an encrypted connection, and {self._public_url} has none.",
                hint="Put https in front and set FAIRGROUND_PUBLIC_URL to its address; programs can sign in with"
                " POST /api/v1/auth/login?mode=token.",
            )

    def read(self, connection: HTTPConnection) -> str | None:
        return connection.cookies.get(NAME)

    def set(self, response: Response, *, secret: str) -> None:
        response.set_cookie(
            NAME, secret, max_age=_MAX_AGE_SECONDS, path="/", secure=True, httponly=True, samesite="lax"
        )

    def clear(self, response: Response) -> None:
        response.delete_cookie(NAME, path="/", secure=True, httponly=True, samesite="lax")

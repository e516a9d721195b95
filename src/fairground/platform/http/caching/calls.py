"""Asks the application as the cache does: with a canonical request that carries nothing of the caller's."""

from typing import Final
from urllib.parse import unquote, urlsplit

from starlette.types import ASGIApp, Message, Scope

from fairground.platform.cache.entry import Answer
from fairground.platform.cache.key import Wanted
from fairground.platform.http.cache_control import WANTED

_ASGI: Final = {"version": "3.0", "spec_version": "2.4"}


class CanonicalCalls:
    """Computes answers by calling the application inside the process.

    The request has no cookie, no Authorization and no header but Host: a response computed for one caller may be served
    to all, whatever the route's code does.
    """

    def __init__(self, app: ASGIApp, *, public_url: str) -> None:
        self._app = app
        self._public = urlsplit(public_url)

    async def compute(self, wanted: Wanted) -> Answer:
        """Return what the application answers.

        Raises:
            Exception: What it raised before it had answered.
        """
        messages: list[Message] = []
        is_sent = False

        async def receive() -> Message:
            nonlocal is_sent
            if is_sent:
                return {"type": "http.disconnect"}
            is_sent = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            messages.append(message)

        try:
            await self._app(self._scope(wanted), receive, send)
        except Exception:
            # An error that is answered is also raised once more, for the server's own log.
            if not messages or messages[-1]["type"] == "http.response.start" or messages[-1].get("more_body"):
                raise
        start, *bodies = messages
        return Answer(
            status=start["status"],
            headers=tuple((bytes(name).lower(), bytes(value)) for name, value in start["headers"]),
            body=b"".join(message.get("body", b"") for message in bodies),
        )

    def _scope(self, wanted: Wanted) -> Scope:
        return {
            "type": "http",
            "asgi": _ASGI,
            "http_version": "1.1",
            "method": "GET",
            "scheme": self._public.scheme,
            "path": unquote(wanted.path),
            "raw_path": wanted.path.encode(),
            "query_string": wanted.query_string,
            "root_path": "",
            "headers": [(b"host", self._public.netloc.encode())],
            "client": None,
            "server": None,
            "state": {},
            WANTED: wanted,
        }

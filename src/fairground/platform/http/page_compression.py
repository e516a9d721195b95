"""Compression of pages outside the response cache, such as those of one user."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fairground.platform.cache import codings

# BREACH: the length of a compressed response reveals whether a text of the attacker occurs elsewhere in it. The attack
# repeats requests from another site, which browsers name in Sec-Fetch-Site.
_OWN_SITES: Final = frozenset({"same-origin", "none"})


class PageCompression:
    """Compress a page that is requested from our own pages or typed by hand, unless it is `no-store`.

    Pages of payments, tokens and staff are `no-store`: they can contain a secret beside a text of another user.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        requested = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if requested.get("sec-fetch-site") not in _OWN_SITES:
            await self._app(scope, receive, send)
            return
        start: Message = {}

        async def send_compressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_page(Headers(raw=message["headers"])):
                start = message
                return
            if start:
                message = _compress(start, message, accept_encoding=requested.get("accept-encoding", ""))
                start, delayed = {}, start
                await send(delayed)
            await send(message)

        await self._app(scope, receive, send_compressed)


def _is_page(headers: Headers) -> bool:
    is_html = headers.get("content-type", "").startswith("text/html")
    return is_html and "content-encoding" not in headers and "no-store" not in headers.get("cache-control", "")


def _compress(start: Message, message: Message, *, accept_encoding: str) -> Message:
    """Return the message with a compressed body, and update the headers in `start`; leave a part of a body as it is."""
    body = message.get("body", b"")
    coding = codings.choose_coding(accept_encoding.encode("latin-1"), size_bytes=len(body))
    headers = MutableHeaders(scope=start)
    headers.add_vary_header("Accept-Encoding")
    if message.get("more_body") or coding in {None, codings.IDENTITY}:
        return message
    body = codings.encode(body, str(coding))
    headers["Content-Encoding"] = str(coding)
    headers["Content-Length"] = str(len(body))
    return {**message, "body": body}

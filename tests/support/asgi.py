"""Calls an application as a server does, and returns its messages unchanged.

A client over httpx's transport drops the body of an answer to HEAD by itself, so it cannot tell whether there was one.
"""

from starlette.types import ASGIApp, Message, Scope


async def call(
    app: ASGIApp, method: str, target: str, *, host: str = "127.0.0.1:8000", headers: dict[str, str] | None = None
) -> list[Message]:
    """Return the messages of an answer, the start first, headers with names in lower case."""
    path, _, query = target.partition("?")
    fields = {"host": host, **(headers or {})}
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *bodies = sent
    return [{**start, "headers": [(bytes(name).lower(), value) for name, value in start["headers"]]}, *bodies]


def bodies_of(answer: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in answer[1:])

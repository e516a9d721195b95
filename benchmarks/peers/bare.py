"""uvicorn with an application that sends prepared bytes and headers, and does nothing else.

It takes the least that a server on uvicorn can take for them. `/list` sends the body, `/304` the headers alone.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from starlette.types import Message, Receive, Scope, Send

from benchmarks.peers.asgi import serving_app

_FOLDER: Final = "BARE_FOLDER"
# uvicorn adds them by itself, as it does for us.
_OF_THE_SERVER: Final = ("connection", "date", "server")


@contextmanager
def serving(
    body: bytes, headers: Mapping[str, str], *, unchanged: Mapping[str, str] | None = None, folder: Path
) -> Iterator[tuple[str, int]]:
    """Serve the bytes with these headers; give the address of the server and its process id.

    Args:
        unchanged: The headers of `/304`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "body").write_bytes(body)
    (folder / "headers.json").write_text(json.dumps([_sent(headers), _sent(unchanged or {})]))
    place, environment = f"{__name__}:Bare", {_FOLDER: str(folder)}
    with serving_app(place, environment, "--factory", "--lifespan", "off", ready_at="/list") as (address, process_id):
        yield address, process_id


def _sent(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(name.lower(), value) for name, value in headers.items() if name.lower() not in _OF_THE_SERVER]


class Bare:
    def __init__(self) -> None:
        folder = Path(os.environ[_FOLDER])
        full, unchanged = (
            [(name.encode(), value.encode()) for name, value in headers]
            for headers in json.loads((folder / "headers.json").read_text())
        )
        body = (folder / "body").read_bytes()
        self._full = _head(200, full), {"type": "http.response.body", "body": body}
        self._unchanged = _head(304, unchanged), {"type": "http.response.body", "body": b""}

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        head, body = self._unchanged if scope["path"] == "/304" else self._full
        await send(head)
        await send(body)


def _head(status: int, headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": headers}

"""Answers that leave in one piece: their head and what there is of their body by then, in one system call."""

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from fairground.platform.cache.entry import Ready
from fairground.platform.http.caching.layer import CacheLayer
from fairground.platform.http.problems import plain_problem

HELD_MAX_BYTES: Final = 64 * 1024  # what streams is not gathered in memory
HEAD_MAX_BYTES: Final = 64 * 1024  # of a request that comes in pieces; browsers send a tenth of it


class WholeAnswers(HttpToolsProtocol):
    """uvicorn's protocol, which writes the head of an answer and its body one after the other.

    Each of them would be a packet of its own, and the second system call costs as much as all that the cache does for
    an answer that it has. An answer that is there already leaves without a task.
    """

    transport: "JoinedWrites"  # type: ignore[assignment]

    def __init__(self, config: uvicorn.Config, *arguments: Any, **more: Any) -> None:
        super().__init__(config, *arguments, **more)
        self._is_in_head = False
        self._head_bytes = 0
        self._find_ready = config.app.find_ready if isinstance(config.app, CacheLayer) else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        joined = JoinedWrites(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", joined))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._head_bytes = True, 0

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        # The parser keeps a head until it is whole, however long it is.
        if self._is_in_head:
            self._head_bytes += len(data)
        if self._head_bytes > HEAD_MAX_BYTES:
            self._refuse_head()
            return
        super().data_received(data)

    def _refuse_head(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        refusal = plain_problem(
            status,
            code="request.head_too_large",
            detail=f"Address and headers are larger than {HEAD_MAX_BYTES // 1024} KiB.",
            hint="Send fewer or shorter headers, such as cookies.",
        )
        lines = [b"%s: %s\r\n" % header for header in [*refusal.raw_headers, (b"connection", b"close")]]
        # uvicorn has no cycle before the first request, whatever it says of its type.
        if getattr(self.cycle, "response_complete", True):
            self.transport.write_whole(b"".join([STATUS_LINE[status], *lines, b"\r\n", bytes(refusal.body)]))
        self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        ready = self._ready_for(cycle)
        if ready is None:
            # What was answered before it in the same packet has begun to wait for the next packet.
            self._unset_keepalive_if_required()
            super()._start_asgi_task(cycle, app)
            return
        cycle.response_started = cycle.response_complete = True
        more = self.server_state.default_headers
        if not cycle.keep_alive:
            more = [*more, (b"connection", b"close")]
        lines = [b"%s: %s\r\n" % header for header in more]
        self.transport.write_whole(b"".join([STATUS_LINE[ready.status], *lines, ready.lines, b"\r\n", ready.body]))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _ready_for(self, cycle: RequestResponseCycle) -> Ready | None:
        # The end of one answer starts the next request that waits: without tasks, thousands would be a deep recursion.
        if self._find_ready is None or self.pipeline or self.flow.write_paused:
            return None
        return self._find_ready(cast("Scope", cycle.scope))


class JoinedWrites:
    """A transport that writes at the end of the event loop's turn what it was given during it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0

    def write(self, piece: bytes) -> None:
        if not self._held:
            self._loop.call_soon(self._flush)
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes > HELD_MAX_BYTES:
            self._flush()

    def write_whole(self, answer: bytes) -> None:
        """Write at once, after what is held."""
        self._flush()
        if not self._transport.is_closing():
            self._transport.write(answer)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()
        self._held_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the transport as it is."""
        return getattr(self._transport, name)

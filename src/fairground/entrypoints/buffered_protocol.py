"""Answers that leave in one piece: their head and what there is of their body by then, in one system call."""

import asyncio
from http import HTTPStatus
from typing import Any, Final, cast

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from fairground.entrypoints.connections import Connections, Wait
from fairground.platform.cache.entry import PreparedResponse
from fairground.platform.http.caching.head_cache import HeadCache
from fairground.platform.http.caching.middleware import CacheMiddleware
from fairground.platform.http.problems import ProblemResponse, plain_problem
from fairground.platform.http.request_heads import (
    HEAD_MAX_BYTES,
    authority_of,
    head_too_large,
    malformed,
    refuse_head,
    size_of,
)

HELD_MAX_BYTES: Final = 64 * 1024  # what streams is not gathered in memory
_REFUSAL_FIELDS: Final = ((b"x-content-type-options", b"nosniff"), (b"connection", b"close"))


# Where the parser is. Numbers, because members of an Enum cost a hit of the cache a microsecond.
_BETWEEN: Final = 0
_HEAD: Final = 1
_BODY: Final = 2
_TRAILERS: Final = 3  # or before the first byte of a chunk
_FRAMING: Final = frozenset({b"connection", b"proxy-connection", b"content-length", b"transfer-encoding", b"upgrade"})


class _Refused(Exception):
    """Stops the parser."""


class _Trailers(list[tuple[bytes, bytes]]):
    """Takes the place of a head that is complete, so that trailers are not added to it (RFC 9110 §6.5.1)."""

    def append(self, field: tuple[bytes, bytes], /) -> None:
        """Ignore a trailer; refuse one by which the parser would find other ends of messages."""
        if field[0] in _FRAMING:
            raise _Refused


_TRAILERS_ONLY: Final = _Trailers()


class BufferedHttpProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which writes the head of an answer and its body one after the other.

    Each of them would be a packet of its own, and the second system call costs as much as all that the cache does for
    an answer that it has. An answer that is there already leaves without a task.

    A request that cannot be answered is refused after the answers to those before it, and ends the connection.
    """

    transport: "WriteCoalescingTransport"  # type: ignore[assignment]

    def __init__(
        self,
        config: uvicorn.Config,
        *arguments: Any,
        connections: Connections,
        heads: HeadCache | None = None,
        **more: Any,
    ) -> None:
        super().__init__(config, *arguments, **more)
        self._heads = heads
        self._find_prepared = config.app.find_prepared if isinstance(config.app, CacheMiddleware) else None
        self._limits = connections
        self._part = _BETWEEN
        self._packets = 0
        self._packet_bytes = 0
        self._fields_bytes = 0
        """The least that the unfinished head, or trailers, has so far."""
        self._is_all_fields = False
        """This packet has nothing but that head, or those trailers."""
        self._refusal: ProblemResponse | None = None
        self._is_deaf = False
        """Nothing that comes is read: where the next request would begin is unknown."""
        self._is_leaving = False
        self._messages = 0
        """Messages that have begun."""
        self._prepared: tuple[PreparedResponse, bytes, Scope] | None = None
        """What the last message got from the cache, and its scope."""
        self._repeated_at = 0.0
        """When the last response came from the cache of heads, by the loop's clock."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        joined = WriteCoalescingTransport(cast("asyncio.Transport", transport))
        super().connection_made(cast("asyncio.Transport", joined))
        refusal = self._limits.admit(self, host=self.client[0] if self.client else "")
        if refusal is not None:
            self._is_deaf = True
            self._write_refusal(refusal)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._limits.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf:
            return
        self._packets += 1
        is_between = self._part == _BETWEEN and getattr(self.cycle, "response_complete", True)
        if is_between and self._repeat(data):
            return
        self._packet_bytes = len(data)
        self._is_all_fields = self._part != _BODY
        messages = self._messages
        super().data_received(data)
        if self._prepared is not None and is_between and self._messages == messages + 1 and self._part == _BETWEEN:
            self._remember(data)
        if self._is_all_fields and self._part in (_HEAD, _TRAILERS) and not self._is_deaf:
            # The parser keeps a field until it is whole, however long it is.
            self._fields_bytes += len(data)
            if self._fields_bytes > HEAD_MAX_BYTES:
                self._refuse(head_too_large())

    def _repeat(self, data: bytes) -> bool:
        """Answer a request whose bytes are known; return False if it must be read."""
        if self._heads is None or self.flow.write_paused or self.transport.is_closing():
            return False
        wire = self._heads.find(data, default_headers=self.server_state.default_headers)
        if wire is None:
            return False
        self.transport.write_whole(wire)
        self.server_state.total_requests += 1
        self._repeated_at = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
        return True

    def _remember(self, data: bytes) -> None:
        """Keep the response to the one request that the packet was, if the connection stays open after it."""
        if self._heads is None or self._prepared is None or self.transport.is_closing():
            return
        prepared, wire, scope = self._prepared
        self._heads.store(data, wire, prepared=prepared, scope=scope, default_headers=self.server_state.default_headers)

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection. A repeated response does not restart the timer, so the rest is waited for here."""
        left_seconds = self._repeated_at + self.timeout_keep_alive - self.loop.time()
        if left_seconds > 0 and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(left_seconds, self.timeout_keep_alive_handler)
            return
        super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        self._messages += 1
        self._prepared = None
        super().on_message_begin()
        self._part, self._fields_bytes = _HEAD, 0

    def on_headers_complete(self) -> None:
        is_upgrade = self.parser.should_upgrade() and self.ws_protocol_class is None
        self._refusal = self._refusal_of_head(is_upgrade=is_upgrade)
        if self._refusal is not None:
            raise _Refused
        self._part, self._is_all_fields, self._is_deaf = _BODY, False, is_upgrade
        if self.url[:1] != b"/" and (authority := authority_of(self.url)) is not None:
            # The address counts, whatever Host says (RFC 9112 §3.2.2).
            self.headers[:] = [*(field for field in self.headers if field[0] != b"host"), (b"host", authority)]
        super().on_headers_complete()
        if self.ws_protocol_class is None:
            self.headers = _TRAILERS_ONLY

    def _refusal_of_head(self, *, is_upgrade: bool) -> ProblemResponse | None:
        if self._fields_bytes + self._packet_bytes > HEAD_MAX_BYTES:
            size_bytes = size_of(self.parser.get_method(), self.url, self.headers)
            if size_bytes > HEAD_MAX_BYTES:
                return head_too_large()
        is_options = self.url == b"*" and self.parser.get_method() == b"OPTIONS"
        return refuse_head(
            target=b"/" if is_options else self.url,
            version=self.parser.get_http_version(),
            fields=self.headers,
            is_upgrade=is_upgrade,
        )

    def on_body(self, body: bytes) -> None:
        self._part, self._is_all_fields = _BODY, False
        super().on_body(body)

    def on_chunk_header(self) -> None:
        # After the last chunk come the trailers, after any other one its data.
        self._part, self._fields_bytes = _TRAILERS, 0

    def on_message_complete(self) -> None:
        self._part, self._is_all_fields = _BETWEEN, False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser has refused."""
        self._refuse(self._refusal or malformed(f"{msg} It is not HTTP/1.1 as RFC 9112 defines it."))

    def _refuse(self, refusal: ProblemResponse) -> None:
        """Send a refusal after the answers to the requests before it, and close.

        A request whose body is at fault gets the refusal as its own answer.
        """
        self._refusal, self._is_deaf = refusal, True
        # uvicorn has no cycle before the first request, whatever it says of its type.
        is_answered = getattr(self.cycle, "response_complete", True)
        is_of_body = self._part in (_BODY, _TRAILERS)
        if is_of_body and is_answered:
            self._refusal = None
        elif self.pipeline or not (is_of_body or is_answered):
            if is_of_body:
                self.pipeline.popleft()
            self.pipeline.appendleft((self.cycle, cast("Any", refusal)))
            return
        elif is_of_body and self.cycle.response_started:
            self.transport.abort()
            return
        elif is_of_body:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self._leave()

    def _leave(self) -> None:
        """Send the refusal, and wait for the client to close: a reset could reach it before the refusal."""
        self._is_leaving = True
        if self.transport.is_closing():
            return
        if self._refusal is not None:
            self._write_refusal(self._refusal)
        self.transport.write_eof()

    def _write_refusal(self, refusal: ProblemResponse) -> None:
        fields = [*self.server_state.default_headers, *refusal.raw_headers, *_REFUSAL_FIELDS]
        lines = [b"%s: %s\r\n" % field for field in fields]
        # Before its target is read, the parser has the method of an earlier message.
        is_head = self._part != _BETWEEN and self.url and self.parser.get_method() == b"HEAD"
        body = b"" if is_head else bytes(refusal.body)
        self.transport.write_whole(b"".join([STATUS_LINE[refusal.status_code], *lines, b"\r\n", body]))

    def progress(self) -> tuple[Wait, object]:
        """Return what the connection waits for, and what changes when something has come."""
        if self._is_leaving:
            return Wait.CLOSE, None
        if self.flow.write_paused or self.transport.is_closing():
            return Wait.READ, self.transport.get_write_buffer_size()
        is_answered = getattr(self.cycle, "response_complete", True)
        if is_answered and self._part == _BETWEEN and self.timeout_keep_alive_task is not None:
            return Wait.IDLE, self._packets
        is_of_body = self._part in (_BODY, _TRAILERS)
        is_asked_for = is_answered or not self.cycle.waiting_for_100_continue
        if is_of_body and is_asked_for and not self.flow.read_paused:
            return Wait.BODY, self._packets
        return (Wait.HEAD, self.cycle) if is_answered else (Wait.ANSWER, None)

    def expire(self) -> None:
        """End the connection, because it has waited too long."""
        wait, _ = self.progress()
        if wait is Wait.BODY or (wait is Wait.HEAD and self._part == _HEAD):
            self._refuse(_timed_out())
        else:
            self.evict()

    def evict(self) -> None:
        """Close the connection now."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._is_deaf:
            if app is self._refusal:
                self._leave()
                return
            if self._refusal is None and cycle is self.cycle:
                # An upgrade that is not made: where HTTP goes on is unknown.
                cycle.keep_alive = False
        prepared = self._prepared_response(cycle)
        if prepared is None:
            # What was answered before it in the same packet has begun to wait for the next packet.
            self._unset_keepalive_if_required()
            super()._start_asgi_task(cycle, app)
            return
        cycle.response_started = cycle.response_complete = True
        more = self.server_state.default_headers
        if not cycle.keep_alive:
            more = [*more, (b"connection", b"close")]
        lines = [b"%s: %s\r\n" % header for header in more]
        wire = b"".join([STATUS_LINE[prepared.status], *lines, prepared.header_lines, b"\r\n", prepared.body])
        self.transport.write_whole(wire)
        self._prepared = (prepared, wire, cast("Scope", cycle.scope))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    def _prepared_response(self, cycle: RequestResponseCycle) -> PreparedResponse | None:
        # The end of one answer starts the next request that waits: without tasks, thousands would be a deep recursion.
        if self._find_prepared is None or self.pipeline or self.flow.write_paused:
            return None
        return self._find_prepared(cast("Scope", cycle.scope))


def _timed_out() -> ProblemResponse:
    return plain_problem(
        HTTPStatus.REQUEST_TIMEOUT,
        code="request.timeout",
        detail="The request took too long to arrive.",
        hint="Send it again.",
    )


class WriteCoalescingTransport:
    """A transport that writes at the end of the event loop's turn what it was given during it."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._held: list[bytes] = []
        self._held_bytes = 0
        self.is_closing = transport.is_closing  # asked of every answer

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
        if not self.is_closing():
            self._transport.write(answer)

    def write_eof(self) -> None:
        self._flush()
        self._transport.write_eof()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self.is_closing():
            self._transport.write(b"".join(self._held))
        self._held.clear()
        self._held_bytes = 0

    def __getattr__(self, name: str) -> Any:
        """Return everything else from the transport as it is."""
        return getattr(self._transport, name)

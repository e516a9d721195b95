"""Responses by the bytes of their requests: a client that sends the same head again is answered without a parser.

See ADR 30. A keep-alive client, a proxy or a load balancer sends the same bytes again and again. Parsing them, building
a scope and finding the entry takes more than half of the CPU of a hit.
"""

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from starlette.types import Scope

from fairground.platform.cache.entry import PreparedResponse

HEAD_MAX_BYTES: Final = 4 * 1024
MEMORY_MAX_BYTES: Final = 16 * 1024 * 1024
_SIGHTS_MAX: Final = 20_000
_SIGHT_SECONDS: Final = 1.0
"""A head is stored at its second request within this time: what is rare costs more than it saves."""
_OVERHEAD_BYTES: Final = 600  # of the objects of an item, measured

# A request that has no body, no credentials, no wish for another protocol, and in which each line is one field.
_METHOD: Final = b"GET /"
_OTHER_FIELD: Final = re.compile(
    rb"\r\n(?:[ \t]|(?:authorization|connection|content-length|cookie|expect|proxy-authorization|range|te|"
    rb"trailer|transfer-encoding|upgrade)[ \t]*:)",
    re.IGNORECASE,
)
_HOST_FIELD: Final = re.compile(rb"\r\nhost:", re.IGNORECASE)

DefaultHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Reuse:
    """For how long a prepared response answers the same request again."""

    seconds: float
    """The response changes at the latest after these, such as its Age."""
    count: Callable[[], None]
    """Counts one more such answer."""


class ReusableResponses(Protocol):
    """What prepares the responses. Called on the event loop, without waiting."""

    @property
    def generation(self) -> int:
        """Differs after every invalidation of anything."""

    def find_reuse(self, scope: Scope, prepared: PreparedResponse) -> Reuse | None:
        """Return for how long a response that was just prepared for this request may be sent again."""


@dataclass(slots=True, eq=False)
class _Item:
    wire: bytes
    """Status line, headers and body."""
    default_headers: DefaultHeaders
    """The server's own, Date among them; it makes a new list every second."""
    generation: int
    until: float
    count: Callable[[], None]


class HeadCache:
    """A bounded map from the whole bytes of a request to the whole bytes of its response."""

    def __init__(self, responses: ReusableResponses, *, now: Callable[[], float] = time.monotonic) -> None:
        self._responses = responses
        self._now = now
        self._items: dict[bytes, _Item] = {}
        self._seen: dict[int, float] = {}
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._items)

    def find(self, head: bytes, *, default_headers: DefaultHeaders) -> bytes | None:
        """Return the response to a request, and count it; None if it must be found in the usual way."""
        item = self._items.get(head)
        if (
            item is None
            or item.default_headers is not default_headers
            or item.generation != self._responses.generation
            or self._now() >= item.until
        ):
            return None
        item.count()
        return item.wire

    def store(
        self, head: bytes, wire: bytes, *, prepared: PreparedResponse, scope: Scope, default_headers: DefaultHeaders
    ) -> None:
        """Keep the response that was sent to a request, if it is asked for often and may be sent again."""
        now = self._now()
        sight = hash(head)
        seen_at = self._seen.get(sight)
        if seen_at is None and len(self._seen) >= _SIGHTS_MAX:
            self._seen.clear()
        self._seen[sight] = now
        if seen_at is None or not 0 <= now - seen_at <= _SIGHT_SECONDS or not is_plain(head):
            return
        reuse = self._responses.find_reuse(scope, prepared)
        if reuse is None:
            return
        before = self._items.pop(head, None)
        if before is not None:
            self.bytes -= _bytes_of(head, before)
        item = _Item(wire, default_headers, self._responses.generation, now + reuse.seconds, reuse.count)
        self.bytes += _bytes_of(head, item)
        if self.bytes > MEMORY_MAX_BYTES:
            # Every item is stored again within a second if it is still asked for.
            self._items.clear()
            self.bytes = _bytes_of(head, item)
        self._items[head] = item


def is_plain(head: bytes) -> bool:
    """Return whether a request that was parsed may be recognised by its bytes alone.

    The parser has accepted it, so this only leaves out what depends on more than these bytes, or ends the connection.
    """
    return (
        len(head) <= HEAD_MAX_BYTES
        and head.startswith(_METHOD)
        and head.find(b"\r\n\r\n") == len(head) - 4
        and head.count(b"\n") == head.count(b"\r\n") == head.count(b"\r")
        and len(_HOST_FIELD.findall(head)) == 1
        and _OTHER_FIELD.search(head) is None
    )


def _bytes_of(head: bytes, item: _Item) -> int:
    return len(head) + len(item.wire) + _OVERHEAD_BYTES

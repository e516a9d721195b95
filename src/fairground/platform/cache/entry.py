"""A kept answer: its bytes in each coding, until when it may be given, and how it crosses to the shared level."""

import base64
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fairground.platform.cache.codings import BROTLI, IDENTITY, WORTH_CODING_BYTES, decode_brotli, encode

META: Final = "m"
STORED_FIELDS: Final = (META, BROTLI, IDENTITY)
ENTRY_MAX_BYTES: Final = 256 * 1024  # what is larger is not kept: coding it would hold up all other requests
JITTER: Final = 0.1  # answers that were made together must not end together
_FORMAT: Final = 1

Headers = tuple[tuple[bytes, bytes], ...]
# Written anew for every answer, or true of one transfer only.
_NOT_KEPT: Final = frozenset(
    {
        b"age", b"cache-control", b"cdn-cache-control", b"cache-status", b"connection", b"content-encoding",
        b"content-length", b"date", b"etag", b"keep-alive", b"transfer-encoding", b"vary", b"x-cache",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route has answered."""

    status: int
    headers: Headers
    body: bytes

    @property
    def is_storable(self) -> bool:
        """Whether everybody may be given it again: found or not found, nobody's own, and not too large."""
        names = {name for name, _ in self.headers}
        if self.status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND) or b"set-cookie" in names:
            return False
        if len(self.body) > ENTRY_MAX_BYTES:
            return False
        values = dict(self.headers)
        is_shared = not any(word in values.get(b"cache-control", b"") for word in (b"private", b"no-store"))
        return is_shared and values.get(b"vary", b"accept-encoding").lower() == b"accept-encoding"


@dataclass(frozen=True, slots=True)
class Times:
    """The instants at which an answer ages, in seconds since 1970."""

    created_at: float
    fresh_until: float
    stale_until: float
    """Until then it is given while a new one is made."""
    dead_at: float
    """Until then it is given while no new one can be made."""

    @property
    def cache_control(self) -> bytes:
        """What others may do with it: caches that are shared keep it as we do, browsers ask each time."""
        return b"public, max-age=0, s-maxage=%d" % (self.fresh_until - self.created_at)

    @property
    def cdn_cache_control(self) -> bytes:
        """What a CDN may do besides (RFC 9213): give it stale for as long as we would (RFC 5861).

        Not in Cache-Control, which browsers read too: an editor's browser would show the state before the change.
        """
        directives = [b"public", b"max-age=%d" % (self.fresh_until - self.created_at)]
        if self.stale_until > self.fresh_until:
            directives.append(b"stale-while-revalidate=%d" % (self.stale_until - self.fresh_until))
        if self.dead_at > self.fresh_until:
            directives.append(b"stale-if-error=%d" % (self.dead_at - self.fresh_until))
        return b", ".join(directives)


@dataclass(slots=True, eq=False)
class Ready:
    """A whole answer, as it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    lines: bytes = field(init=False, repr=False)
    """The headers as HTTP/1.1 has them."""

    def __post_init__(self) -> None:
        self.lines = b"".join(b"%s: %s\r\n" % header for header in self.headers)


@dataclass(slots=True, eq=False)
class Variant:
    """A body in one coding, with the headers that go with it at any time."""

    body: bytes
    etag: bytes
    headers: Headers
    hit_age: int = -1
    """For how old an answer the following were written, in whole seconds."""
    hit: Ready | None = None
    not_modified: Ready | None = None


@dataclass(slots=True, eq=False)
class Entry:
    """An answer that is kept. It grows by the codings that are asked for; nothing else of it changes."""

    status: int
    headers: Headers
    digest: str
    """96 bits of the identity body: the same in every process, so that an ETag is."""
    times: Times
    compute_seconds: float
    tokens: tuple[bytes, ...]
    """Of its tags in the shared level, read before it was computed; empty without one."""
    bodies: dict[str, bytes] = field(repr=False)
    size_bytes: int
    """Of the identity body."""
    variants: dict[str, Variant] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_found(self) -> bool:
        return self.status == HTTPStatus.OK

    def body(self, coding: str) -> bytes:
        """Return the body in a coding, making it when it is not there yet."""
        found = self.bodies.get(coding)
        if found is None:
            identity = self.bodies.get(IDENTITY)
            if identity is None:
                identity = self.bodies[IDENTITY] = decode_brotli(self.bodies[BROTLI])
            found = self.bodies[coding] = encode(identity, coding)
        return found

    def make_variant(self, coding: str) -> Variant:
        """Make what is sent to those who are answered in the coding, and keep it in `variants`."""
        body = self.body(coding)
        etag = f'"{self.digest}-{coding}"'.encode()
        headers = [
            *self.headers,
            (b"cache-control", self.times.cache_control),
            (b"cdn-cache-control", self.times.cdn_cache_control),
            (b"vary", b"accept-encoding"),
        ]
        if self.is_found:
            headers.append((b"etag", etag))
        if coding != IDENTITY:
            headers.append((b"content-encoding", coding.encode()))
        headers.append((b"content-length", b"%d" % len(body)))
        variant = self.variants[coding] = Variant(body=body, etag=etag, headers=tuple(headers))
        return variant

    @property
    def memory_bytes(self) -> int:
        return _OVERHEAD_BYTES + sum(len(body) for body in self.bodies.values())


_OVERHEAD_BYTES: Final = 3_000  # of an entry's objects and of what stands around it in the memory level, measured


def make_times(*, now: float, fresh_seconds: float, stale_seconds: float, error_seconds: float) -> Times:
    """Return when an answer made now will age; the first time is spread by a tenth to either side."""
    fresh_until = now + fresh_seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret
    stale_until = fresh_until + stale_seconds
    return Times(created_at=now, fresh_until=fresh_until, stale_until=stale_until, dead_at=stale_until + error_seconds)


def make_entry(answer: Answer, *, times: Times, compute_seconds: float, tokens: tuple[bytes, ...]) -> Entry:
    bodies = {IDENTITY: answer.body}
    if len(answer.body) >= WORTH_CODING_BYTES:
        bodies[BROTLI] = encode(answer.body, BROTLI)
    return Entry(
        status=answer.status,
        headers=tuple((name, value) for name, value in answer.headers if name not in _NOT_KEPT),
        digest=_digest(answer.body),
        times=times,
        compute_seconds=compute_seconds,
        tokens=tokens,
        bodies=bodies,
        size_bytes=len(answer.body),
    )


def to_fields(entry: Entry) -> dict[str, bytes]:
    """Return the entry as the shared level stores it: what describes it, and its body once, as small as it is there."""
    times = entry.times
    meta = {
        "format": _FORMAT,
        "status": entry.status,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in entry.headers],
        "digest": entry.digest,
        "times": [times.created_at, times.fresh_until, times.stale_until, times.dead_at],
        "compute_seconds": entry.compute_seconds,
        "tokens": [base64.b64encode(token).decode() for token in entry.tokens],
        "size_bytes": entry.size_bytes,
    }
    coding = BROTLI if BROTLI in entry.bodies else IDENTITY
    return {META: json.dumps(meta, separators=(",", ":")).encode(), coding: entry.bodies[coding]}


def from_fields(fields: Sequence[bytes | None]) -> Entry | None:
    """Return the entry that `STORED_FIELDS` hold, or None when there is none.

    Raises:
        ValueError: They hold something else, or part of an entry.
    """
    meta, brotli_body, identity = fields
    if meta is None:
        return None
    try:
        entry = _read_entry(json.loads(meta), {BROTLI: brotli_body, IDENTITY: identity})
        body = entry.body(IDENTITY)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"A stored entry cannot be read: {error!r}.") from error
    if _digest(body) != entry.digest or len(body) != entry.size_bytes:
        raise ValueError("A stored entry is damaged: its bytes are not those that were stored.")
    return entry


def _read_entry(meta: dict[str, Any], bodies: dict[str, bytes | None]) -> Entry:
    if meta["format"] != _FORMAT:
        raise ValueError("another format")
    return Entry(
        status=int(meta["status"]),
        headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in meta["headers"]),
        digest=str(meta["digest"]),
        times=Times(*map(float, meta["times"])),
        compute_seconds=float(meta["compute_seconds"]),
        tokens=tuple(base64.b64decode(token, validate=True) for token in meta["tokens"]),
        bodies={coding: body for coding, body in bodies.items() if body is not None},
        size_bytes=int(meta["size_bytes"]),
    )


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=12).hexdigest()

"""A stored response: its body in each coding, the times at which it ages, and its form in the shared level."""

import base64
import hashlib
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fairground.platform.cache.codings import BROTLI, IDENTITY, WORTH_CODING_BYTES, decode_brotli, encode
from fairground.platform.cache.policy import ComputedResponse, Headers

META: Final = "m"
STORED_FIELDS: Final = (META, BROTLI, IDENTITY)
JITTER: Final = 0.1  # so that entries computed at the same time do not expire at the same time
_FORMAT: Final = 1

# Written again for every response, or valid for one transfer only.
_UNSTORED_HEADERS: Final = frozenset(
    {
        b"age", b"cache-control", b"cdn-cache-control", b"cache-status", b"connection", b"content-encoding",
        b"content-length", b"date", b"etag", b"keep-alive", b"transfer-encoding", b"vary", b"x-cache",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Times:
    """The instants at which an entry ages, in seconds since 1970."""

    created_at: float
    fresh_until: float
    stale_until: float
    """Until then it is served while a new one is computed (stale-while-revalidate)."""
    stale_if_error_until: float
    """Until then it is served when no new one can be computed (stale-if-error)."""

    @property
    def cache_control(self) -> bytes:
        """Shared caches store it for as long as this cache does; browsers revalidate it each time."""
        return b"public, max-age=0, s-maxage=%d" % (self.fresh_until - self.created_at)

    @property
    def cdn_cache_control(self) -> bytes:
        """A CDN may also serve it stale (RFC 9213), for as long as this cache does (RFC 5861).

        Not in Cache-Control, which browsers read too: an editor's browser would show the state before the change.
        """
        directives = [b"public", b"max-age=%d" % (self.fresh_until - self.created_at)]
        if self.stale_until > self.fresh_until:
            directives.append(b"stale-while-revalidate=%d" % (self.stale_until - self.fresh_until))
        if self.stale_if_error_until > self.fresh_until:
            directives.append(b"stale-if-error=%d" % (self.stale_if_error_until - self.fresh_until))
        return b", ".join(directives)


@dataclass(slots=True, eq=False)
class PreparedResponse:
    """A whole response, ready for the socket."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes
    header_lines: bytes = field(init=False, repr=False)
    """The headers as HTTP/1.1 writes them."""

    def __post_init__(self) -> None:
        self.header_lines = b"".join(b"%s: %s\r\n" % header for header in self.headers)


@dataclass(slots=True, eq=False)
class Variant:
    """The body in one coding, with the headers that do not depend on its age."""

    body: bytes
    etag: bytes
    headers: Headers
    hit_age: int = -1
    """The age in whole seconds for which the following two were prepared."""
    hit: PreparedResponse | None = None
    not_modified: PreparedResponse | None = None


@dataclass(slots=True, eq=False)
class Entry:
    """A stored response. Requests in further codings add bodies and variants; nothing else of it changes."""

    status: int
    headers: Headers
    digest: str
    """96 bits of the identity body: the same in every process, so that the ETag is."""
    times: Times
    compute_seconds: float
    tokens: tuple[bytes, ...]
    """Of its tags in the shared level, read before it was computed; empty without a shared level."""
    bodies: dict[str, bytes] = field(repr=False)
    size_bytes: int
    """Of the identity body."""
    variants: dict[str, Variant] = field(default_factory=dict, init=False, repr=False)

    @property
    def is_found(self) -> bool:
        return self.status == HTTPStatus.OK

    def body(self, coding: str) -> bytes:
        """Return the body in a coding, encoding it at the first request."""
        found = self.bodies.get(coding)
        if found is None:
            identity = self.bodies.get(IDENTITY)
            if identity is None:
                identity = self.bodies[IDENTITY] = decode_brotli(self.bodies[BROTLI])
            found = self.bodies[coding] = encode(identity, coding)
        return found

    def make_variant(self, coding: str) -> Variant:
        """Return the variant for a coding, and add it to `variants`."""
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


_OVERHEAD_BYTES: Final = 3_000  # objects of an entry and of its place in the memory level, measured


def make_times(*, now: float, fresh_seconds: float, stale_seconds: float, error_seconds: float) -> Times:
    """Return the times of an entry computed now; `fresh_seconds` is varied by up to a tenth."""
    fresh_until = now + fresh_seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret
    stale_until = fresh_until + stale_seconds
    return Times(
        created_at=now,
        fresh_until=fresh_until,
        stale_until=stale_until,
        stale_if_error_until=stale_until + error_seconds,
    )


def make_entry(response: ComputedResponse, *, times: Times, compute_seconds: float, tokens: tuple[bytes, ...]) -> Entry:
    bodies = {IDENTITY: response.body}
    if len(response.body) >= WORTH_CODING_BYTES:
        bodies[BROTLI] = encode(response.body, BROTLI)
    return Entry(
        status=response.status,
        headers=tuple((name, value) for name, value in response.headers if name not in _UNSTORED_HEADERS),
        digest=_digest(response.body),
        times=times,
        compute_seconds=compute_seconds,
        tokens=tokens,
        bodies=bodies,
        size_bytes=len(response.body),
    )


def to_fields(entry: Entry) -> dict[str, bytes]:
    """Return the entry as the shared level stores it: its description, and its body in the smallest coding it has."""
    times = entry.times
    meta = {
        "format": _FORMAT,
        "status": entry.status,
        "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in entry.headers],
        "digest": entry.digest,
        "times": [times.created_at, times.fresh_until, times.stale_until, times.stale_if_error_until],
        "compute_seconds": entry.compute_seconds,
        "tokens": [base64.b64encode(token).decode() for token in entry.tokens],
        "size_bytes": entry.size_bytes,
    }
    coding = BROTLI if BROTLI in entry.bodies else IDENTITY
    return {META: json.dumps(meta, separators=(",", ":")).encode(), coding: entry.bodies[coding]}


def from_fields(fields: Sequence[bytes | None]) -> Entry | None:
    """Return the entry in the values of `STORED_FIELDS`, or None when there is none.

    Raises:
        ValueError: The values are damaged, incomplete or of another format.
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

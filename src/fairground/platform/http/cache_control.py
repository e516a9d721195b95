"""Values of Cache-Control for responses outside the response cache, and conditional requests."""

import re
from typing import Final

# For an address that changes with its content: clients never have to revalidate it.
FOREVER: Final = "public, max-age=31536000, immutable"
UNSTORED: Final = "private, no-store"
"""For a response that depends on the caller. A shared cache must not store it (RFC 9111 §3), nor may a browser."""
CACHE_REQUEST: Final = "fairground.cache_request"
"""The key in the scope of a request from the response cache; its value is the `CacheRequest`."""
_ENTITY_TAG: Final = re.compile(rb'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def for_owner(*, seconds: int) -> str:
    """Return the value for an owner-only picture: only the owner's browser stores it, for so many seconds."""
    return f"private, max-age={seconds}"


def is_private(cache_control: str) -> bool:
    """Return whether a Cache-Control value keeps a response out of shared caches."""
    return "private" in {directive.partition("=")[0].strip().lower() for directive in cache_control.split(",")}


def matches_etag(if_none_match: bytes, *, etag: bytes) -> bool:
    """Return whether If-None-Match names the entity tag, by weak comparison; `*` names every tag (RFC 9110 §13.1.2)."""
    if if_none_match == etag or if_none_match.strip() == b"*":
        return True
    return etag in _ENTITY_TAG.findall(if_none_match)

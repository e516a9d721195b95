"""What Cache-Control says of answers that our own cache does not keep."""

from typing import Final

# For an address that changes with what it leads to, or leads to the same always: no client ever has to ask again.
FOREVER: Final = "public, max-age=31536000, immutable"
UNSTORED: Final = "private, no-store"
"""For an answer that depends on the caller. A shared cache must not store it (RFC 9111 §3), nor may a browser."""
WANTED: Final = "fairground.wanted"
"""The key of a scope under which a request of the response cache says what it is."""


def for_owner(*, seconds: int) -> str:
    """Return what an owner-only picture says: the owner's browser alone keeps it, for so long."""
    return f"private, max-age={seconds}"


def is_private(cache_control: str) -> bool:
    """Return whether a Cache-Control value keeps an answer out of shared caches."""
    return "private" in {directive.partition("=")[0].strip().lower() for directive in cache_control.split(",")}

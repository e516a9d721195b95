"""What pages may load, and where they may send: from and to this server, unless an operator names others."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Origins:
    """Other servers that pages have to do with, each as scheme, host and port."""

    forms: tuple[str, ...] = ()
    """Where answering a form may lead, or where one is sent: browsers check redirects too."""
    images: tuple[str, ...] = ()
    """Where images come from, redirects from here included."""
    scripts_ask: tuple[str, ...] = ()
    """Whom our scripts talk to."""


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def content_security_policy(style_hash: str, origins: Origins) -> str:
    """Return the policy of a page. It has no nonce, so that one copy of a page can be cached for all readers.

    Args:
        style_hash: Of the inline style sheet, the only style that a page may carry.
    """
    directives: Mapping[str, str] = {
        "default-src": "'self'",
        "script-src": "'self'",
        "style-src": f"'self' '{style_hash}'",
        "img-src": " ".join(("'self'", "data:", *origins.images)),
        "connect-src": " ".join(("'self'", *origins.scripts_ask)),
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": " ".join(("'self'", *origins.forms)),
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())

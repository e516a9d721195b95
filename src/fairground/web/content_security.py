"""Other servers that pages use, such as a tile server or a CDN, and the Content Security Policy that admits them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class MapTiles:
    """A tile server and its attribution.

    None is built in: a tile server learns which visitor looks at which place, and free ones such as OpenStreetMap
    cannot serve every marketplace.
    """

    url: str
    """With {z}, {x} and {y} for zoom, column and row."""
    attribution: str
    """The credit that the makers of the map require; may contain a link, as HTML."""


@dataclass(frozen=True, slots=True)
class Origins:
    """Other servers that pages use, each as scheme, host and port."""

    forms: tuple[str, ...] = ()
    """Targets of forms, and of redirects after a form, which browsers check too."""
    images: tuple[str, ...] = ()
    """Sources of images, redirects from here included."""
    connections: tuple[str, ...] = ()
    """Servers to which our scripts send requests."""
    scripts: tuple[str, ...] = ()
    """Servers whose scripts a page runs: of the page of payment alone, that of the card processor."""
    frames: tuple[str, ...] = ()
    """Servers of which a page shows a page inside its own."""

    def joined_with(self, others: "Origins") -> "Origins":
        return Origins(**{part.name: getattr(self, part.name) + getattr(others, part.name) for part in fields(self)})


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
        "script-src": " ".join(("'self'", *origins.scripts)),
        "style-src": f"'self' '{style_hash}'",
        "img-src": " ".join(("'self'", "data:", *origins.images)),
        "connect-src": " ".join(("'self'", *origins.connections)),
        **({"frame-src": " ".join(origins.frames)} if origins.frames else {}),
        "object-src": "'none'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
        "form-action": " ".join(("'self'", *origins.forms)),
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())

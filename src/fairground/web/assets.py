"""The files under `static/`: served under addresses that name their content, and the one style sheet of every page."""

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from fairground.kernel.errors import NotFound
from fairground.platform.cache.codings import encode

STATIC_FOLDER: Final = Path(__file__).parent / "static"
# tokens.css comes first, because it states the order of the layers; after that the order does not matter.
STYLE_SHEETS: Final = (
    "tokens base layout shell actions forms cards gallery booking calendar messages feedback home".split()
)
MEDIA_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".ico": "image/x-icon",
    ".png": "image/png",
    "speculation.json": "application/speculationrules+json",
}
"""By the end of a file's name, or by all of it."""


class AssetNotFound(NotFound):
    code = "web.asset_not_found"
    hint = "Reload the page."


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    media_type: str
    digest: str
    _coded: dict[str, bytes] = field(default_factory=dict)

    def body_in(self, coding: str) -> bytes:
        """Return the body in a content coding; each is encoded once, at its first request."""
        if coding not in self._coded:
            self._coded[coding] = encode(self.body, coding)
        return self._coded[coding]


class Assets:
    """All static files, read once at start: they are few and small."""

    def __init__(self, folder: Path = STATIC_FOLDER) -> None:
        self._by_address: dict[str, Asset] = {}
        self._address_of: dict[str, str] = {}
        for path in _served_files(folder):
            self._add(path.relative_to(folder).as_posix(), path)
        self.style = _joined_style(folder)
        self.style_hash = "sha256-" + _base64(hashlib.sha256(self.style.encode()).digest())

    def url(self, name: str) -> str:
        """Return the address of a file under `static/`, such as "/static/app.1c9f2ab340.js" for "app.js"."""
        return f"/static/{self._address_of[name]}"

    @property
    def addresses(self) -> list[str]:
        """The address of every file, which changes when its content does."""
        return sorted(self._by_address)

    def get(self, address: str) -> Asset:
        """Return the file behind an address, given without its leading "/static/".

        Raises:
            AssetNotFound: No file has this address; it may be one of an earlier version.
        """
        asset = self._by_address.get(address)
        if asset is None:
            raise AssetNotFound(f"There is no file /static/{address}.")
        return asset

    def _add(self, name: str, path: Path) -> None:
        body = path.read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:10]
        address = str(PurePosixPath(name).with_suffix(f".{digest}{path.suffix}"))
        self._address_of[name] = address
        media_type = MEDIA_TYPES.get(path.name, MEDIA_TYPES[path.suffix])
        self._by_address[address] = Asset(body=body, media_type=media_type, digest=digest)


def _served_files(folder: Path) -> Iterator[Path]:
    # The style sheets in css/ are part of every page; the others are loaded by what needs them.
    return (path for path in sorted(folder.rglob("*")) if path.suffix in MEDIA_TYPES and path.parent != folder / "css")


def _joined_style(folder: Path) -> str:
    source = "".join((folder / "css" / f"{name}.css").read_text() for name in STYLE_SHEETS)
    without_comments = re.sub(r"/\*.*?\*/", "", source, flags=re.DOTALL)
    return re.sub(r"\s+", " ", without_comments).strip()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()

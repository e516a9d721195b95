"""Addresses of pages: parameters, read leniently because people edit and share addresses, and paths to other pages."""

from datetime import date
from typing import Annotated, Final
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, StringConstraints
from starlette.requests import Request

from fairground.kernel.errors import NotFound
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

PART_PREFIX: Final = "/_f/"
"""Below it are parts of pages, which replace themselves inside a page that is open."""


class PageNotFound(NotFound):
    code = "web.page_not_found"


class VerticalPath(BaseModel):
    """The part of a path that names a vertical."""

    vertical: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]


def existing_vertical(verticals: Verticals, key: str) -> Vertical:
    """Return the pack that an address names.

    Raises:
        PageNotFound: There is none of this name.
    """
    pack = verticals.find(key)
    if pack is None:
        raise PageNotFound(f"There is no area called {key[:40]!r} here.")
    return pack


def open_vertical(verticals: Verticals, key: str) -> Vertical:
    """Return the pack of a provider.

    Raises:
        PageNotFound: The operator has removed the pack.
    """
    pack = verticals.find(key)
    if pack is None:
        raise PageNotFound(f"The area {key!r} is closed.")
    return pack


def read_number(value: object, *, most: int) -> int | None:
    """Return a whole number, at most `most`; None when the value is not one."""
    text = "" if value is None else str(value).strip()
    # isdecimal alone also takes digits of other scripts, which int() reads as well.
    return min(int(text[:12]), most) if text.isdecimal() else None


def read_page_number(value: object, *, most: int) -> int:
    """Return the number of a page, at most `most`; the first page when the value is not one."""
    return read_number(value, most=most) or 1


def read_date(value: object) -> date | None:
    """Return a date such as "2026-12-03", or in another form of ISO 8601; None when the value is not one."""
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def read_id(value: object) -> UUID | None:
    """Return an id; None when the value is not one."""
    try:
        return UUID(str(value))
    except ValueError:
        return None


def sign_in_path(request: Request) -> str:
    """Return the address of the sign-in page, which leads back to the requested page."""
    if request.method != "GET" or request.url.path.startswith(PART_PREFIX):
        return "/login"
    requested = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"/login?{urlencode({'next': requested})}"


def local_path(requested: str | None, *, otherwise: str) -> str:
    """Return the path if it is one of this site; never another site's address."""
    # Browsers read both "//host" and "/\host" as another site.
    if requested and requested.startswith("/") and not requested.startswith(("//", "/\\")) and requested.isprintable():
        return requested
    return otherwise

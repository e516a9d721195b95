"""What cached answers depend on that the catalog owns. Each function returns a tag; the catalog renews them."""

import re
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel

ALL_PROVIDERS: Final = "catalog"
"""Every list and every provider: renewed when many change at once."""

_KEY: Final = re.compile(r"[a-z0-9-]{1,80}")


def list_tag(vertical: str | None) -> str:
    """Name the lists of a vertical; without one, those over all of them."""
    return f"providers:{vertical}" if vertical and _KEY.fullmatch(vertical) else "providers"


def free_tag(day: date | None) -> str:
    """Name who is free on a day, or, without one, who is free on any."""
    return f"free:{day}" if day else "free"


def free_tags(day: date | None) -> tuple[str, ...]:
    """Return what a list of who is free on a day depends on besides; nothing without a day."""
    return (free_tag(None), free_tag(day)) if day else ()


def provider_tag(key: UUID | str) -> str:
    """Name what is shown of a provider, by its id or by its slug: an answer depends on the one it was asked by."""
    return f"provider:{key}"


def _canonical(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        pass
    if not _KEY.fullmatch(key):
        raise ValueError("neither an id nor a slug")
    return key


class ProviderPath(BaseModel):
    """The part of a path that names a provider: an id, in its usual spelling whatever was written, or a slug."""

    id_or_slug: Annotated[str, AfterValidator(_canonical)]

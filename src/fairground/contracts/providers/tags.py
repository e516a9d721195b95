"""The cache tags of providers. Each function returns a tag; `providers` and `discovery` invalidate them."""

import re
from typing import Annotated, Final
from uuid import UUID

from pydantic import AfterValidator, BaseModel

ALL_PROVIDERS: Final = "catalog"
"""Every list and every provider: invalidated when many change at once."""

_KEY: Final = re.compile(r"[a-z0-9-]{1,80}")


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

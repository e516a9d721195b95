"""What is kept and told of a picture."""

import re
from base64 import b64encode
from typing import Final
from uuid import UUID

from fairground.contracts.media import AltInvalid, PictureNotFound

ALT_MAX_LENGTH: Final = 500
_VERSION_LENGTH: Final = 12
# PostgreSQL stores no NUL, UTF-8 has no surrogates, and the text stands in one attribute.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


def check_alt(alt: str) -> str:
    """Return the text as it is kept.

    Raises:
        AltInvalid: It is too long, or holds what cannot be seen.
    """
    alt = alt.strip()
    if len(alt) > ALT_MAX_LENGTH:
        raise AltInvalid(f"The text has {len(alt)} characters.", hint=f"Shorten it to {ALT_MAX_LENGTH}.")
    if _CONTROL.search(alt):
        raise AltInvalid("The text holds control characters.", hint="Remove what cannot be seen.")
    return alt


def not_found() -> PictureNotFound:
    """Return the one refusal for no picture and for somebody else's, so that neither tells of the other."""
    return PictureNotFound("There is no such picture among yours.")


def image_url(picture_id: UUID, digest: str) -> str:
    """Return where a picture is shown: an address that never shows anything else, so that it is kept for ever."""
    return f"/api/v1/img/{picture_id}?v={version_of(digest)}"


def version_of(digest: str) -> str:
    return digest[:_VERSION_LENGTH]


def data_url(content: bytes, *, media_type: str) -> str:
    return f"data:{media_type};base64,{b64encode(content).decode()}"

"""What is kept and told of a picture."""

from base64 import b64encode
from typing import Final
from uuid import UUID

from fairground.contracts.media import AltInvalid, PictureNotFound
from fairground.kernel.text import clean_line, refused_as

ALT_MAX_LENGTH: Final = 500
_VERSION_LENGTH: Final = 12


def check_alt(alt: str) -> str:
    """Return the text as it is kept: one line, for it becomes an attribute.

    Raises:
        AltInvalid: It is too long, or `kernel.text` refuses a character of it.
    """
    with refused_as(AltInvalid, "The text", field="alt"):
        return clean_line(alt, most=ALT_MAX_LENGTH)


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

"""Pictures, originals and renditions as media keeps them, and the rules about them."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from fairground.contracts.media import AltInvalid, Picture, PictureNotFound, PictureReady
from fairground.kernel.text import clean_line, refused_as

ALT_MAX_LENGTH: Final = 500
_VERSION_LENGTH: Final = 12


@dataclass(frozen=True)
class Original:
    """The file of a picture, once it was accepted."""

    digest: str
    """SHA-256 in hexadecimal digits."""
    key: str
    is_rendered: bool


@dataclass(frozen=True)
class ImageProperties:
    """What is known of an original since it was rendered."""

    width_px: int
    height_px: int
    colour: str
    placeholder: str


@dataclass(frozen=True)
class Rendition:
    """A file that was made of an original."""

    recipe: str
    key: str
    width_px: int
    height_px: int
    size_bytes: int


@dataclass(frozen=True)
class PictureRecord:
    """A picture as its owner sees it, with what media alone knows of it."""

    picture: Picture
    owner_id: UUID
    upload_key: str | None
    original: Original | None

    def ready_event(self) -> PictureReady:
        properties = self.picture.model_dump(include={"width_px", "height_px", "colour", "placeholder", "url"})
        return PictureReady(picture_id=self.picture.id, owner_id=self.owner_id, **properties)


def check_alt(alt: str) -> str:
    """Return the text as it is kept: one line, because it becomes an attribute.

    Raises:
        AltInvalid: It is too long, or `kernel.text` refuses a character of it.
    """
    with refused_as(AltInvalid, "The text", field="alt"):
        return clean_line(alt, most=ALT_MAX_LENGTH)


def check_owned(record: PictureRecord | None, owner_id: UUID) -> PictureRecord:
    """Return a picture of this owner's.

    Raises:
        PictureNotFound: With the same words for a missing picture and another owner's: neither reveals the other.
    """
    if record is None or record.owner_id != owner_id:
        raise PictureNotFound("This picture does not exist, or is not yours.")
    return record


def image_url(picture_id: UUID, digest: str) -> str:
    """Return the address of a picture, which never shows another one and is cached for ever."""
    return f"/api/v1/img/{picture_id}?v={version_of(digest)}"


def version_of(digest: str) -> str:
    return digest[:_VERSION_LENGTH]

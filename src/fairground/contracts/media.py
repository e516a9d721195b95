"""Media: pictures that people bring, judged, and made fit for pages."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, LimitExceeded, NotFound
from fairground.kernel.messages import Event


class PictureState(StrEnum):
    AWAITED = "awaited"
    """A form was given; its file has not been looked at."""
    PROCESSING = "processing"
    """The file was judged and kept; its sizes are being made."""
    READY = "ready"
    REFUSED = "refused"


class Refusal(DTO):
    """Why a file was not taken, as its problem document said it."""

    code: str
    detail: str
    hint: str


class Picture(DTO):
    id: UUID
    state: PictureState
    alt: str
    """What is to be seen on it, for those who cannot see it."""
    alt_version: int = 0
    """Grows with each change of the text, so that who is told late knows it."""
    width_px: int | None = None
    """Of what was brought, upright; known when it is ready, as all that follows."""
    height_px: int | None = None
    colour: str | None = None
    """The average, as `#rrggbb`."""
    placeholder: str | None = None
    """A tiny version, as a `data:` address."""
    url: str | None = None
    """Where it is shown: to its owner alone until it is a portrait or in a gallery. `&w=` and others choose a size and
    a format (GET /api/v1/img/{picture_id})."""
    refusal: Refusal | None = None
    created_at: datetime


class PictureForm(DTO):
    """A form to send as multipart/form-data: its fields as they are, and after them the file as `file`."""

    url: str
    """It begins with a slash when it is at this server."""
    fields: Mapping[str, str]
    max_bytes: int
    expires_at: datetime


class UploadOffer(DTO):
    picture: Picture
    form: PictureForm


class PictureNotFound(NotFound):
    code = "media.picture_not_found"


class TooManyUploads(LimitExceeded):
    code = "media.too_many_uploads"


class TooManyOpenUploads(Conflict):
    code = "media.too_many_open_uploads"
    hint = "Complete those that you have begun, or delete them."


class AltInvalid(Invalid):
    code = "media.alt_invalid"


class PictureReady(Event):
    """The picture can be shown. A picture never changes: it becomes ready once."""

    topic: ClassVar = "media.picture_ready.v1"
    is_awaited: ClassVar = True
    picture_id: UUID
    owner_id: UUID
    width_px: int
    height_px: int
    colour: str
    placeholder: str
    url: str


class PictureRefused(Event):
    topic: ClassVar = "media.picture_refused.v1"
    is_awaited: ClassVar = True
    picture_id: UUID
    owner_id: UUID
    code: str


class PictureDescribed(Event):
    """Its owner has given it another text."""

    topic: ClassVar = "media.picture_described.v1"
    picture_id: UUID
    owner_id: UUID
    alt: str
    alt_version: int


class PictureDeleted(Event):
    """Its owner has removed it; nobody can see it any more."""

    topic: ClassVar = "media.picture_deleted.v1"
    picture_id: UUID
    owner_id: UUID


class Face(DTO):
    """What stands for a provider: the portrait, or what the name gives."""

    name: str
    picture_id: UUID | None
    url: str | None = None
    """Where a picture is shown that media does not keep."""


class Faces(Protocol):
    """What media asks of whoever has the people, so as to show them at addresses of their own."""

    async def get_face(self, *, provider_id: UUID) -> Face:
        """Return what everybody may see for a provider; raise ProviderNotFound when that is nothing."""
        ...


class Placements(Protocol):
    """What media asks of the module that shows pictures on pages."""

    async def is_placed(self, *, picture_id: UUID) -> bool:
        """Return whether a provider has chosen the picture as portrait or for its gallery.

        Until then the picture is a draft that its owner alone may see.
        """
        ...


def avatar_url(provider_id: UUID, *, picture_url: str) -> str:
    """Return where a provider's picture is shown as a square, by the address at which all of it is shown.

    It has the version of the picture, so that what is kept of it never shows an older one. `&w=` and others choose a
    size and a format (GET /api/v1/img/avatar/{provider_id}).
    """
    return f"/api/v1/img/avatar/{provider_id}?{urlsplit(picture_url).query}"


def list_avatar_url(provider_id: UUID, *, picture_url: str | None) -> str:
    """Return where a list shows a provider's face: a square of 512 pixels for 256, or initials where there is none.

    Args:
        picture_url: Where the picture is shown (`avatar_url`), whose version is kept; None for initials.
    """
    address = f"/api/v1/img/avatar/{provider_id}"
    version = urlsplit(picture_url or "").query if (picture_url or "").startswith(address) else ""
    return f"{address}?{version}{'&' if version else ''}w=256&dpr=2&q=90"


class PicturesReport(DTO):
    by_state: dict[PictureState, int]
    bare: int
    """Originals that were rendered and of which nothing is left that was made."""
    lost_originals: int
    """Files that are referred to and not in the store; as the next."""
    lost_renditions: int


class PictureCare(Protocol):
    """What operators ask about pictures."""

    async def inspect_pictures(self) -> PicturesReport: ...

    async def find_missing(self, *, picture_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the pictures that there are not."""
        ...


class Pictures(Protocol):
    async def offer_upload(self, *, owner_id: UUID, content_type: str, alt: str = "") -> UploadOffer:
        """Return a form with which the owner, or a browser for the owner, sends one file.

        Raises:
            PictureTypeRefused: Such files are not taken.
            AltInvalid: The text is longer than 500 characters, or holds what cannot be seen.
            TooManyUploads, TooManyOpenUploads
        """
        ...

    async def complete_upload(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        """Judge the file that was sent, keep it, and have its sizes made. Repeating it returns what is.

        Raises:
            PictureNotFound: No such picture, or it is somebody else's.
            UploadMissing: The file has not been sent.
            Invalid: The file is refused, with a code that says why; the picture says the same from now on.
        """
        ...

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        """Return the picture; raise PictureNotFound when there is none, or it is somebody else's."""
        ...

    async def describe_picture(self, *, owner_id: UUID, picture_id: UUID, alt: str) -> Picture:
        """Give a picture another text, in any state.

        Raises:
            PictureNotFound: No such picture, or it is somebody else's.
            AltInvalid: As `offer_upload` says.
        """
        ...

    async def bring_picture(self, *, picture_id: UUID, owner_id: UUID, content: bytes, alt: str) -> Picture:
        """Take a picture that another module has, under an id of its choice, and have its sizes made.

        Repeating it returns what is. It counts towards nobody's limits.

        Raises:
            Invalid: The file is refused, with a code that says why; nothing is kept of it.
            PictureNotFound: The id is somebody else's picture.
        """
        ...

    async def delete_picture(self, *, owner_id: UUID, picture_id: UUID) -> None:
        """Remove the picture at once; its files go later. One that is not there is no mistake."""
        ...


class PictureForms(Protocol):
    """Takes a form with a picture in it, as browsers send one without script."""

    @property
    def max_bytes(self) -> int:
        """The size of the largest file that is taken."""
        ...

    async def take_form(self, *, owner_id: UUID, content_type: str, body: AsyncIterator[bytes]) -> Picture:
        """Take multipart/form-data as it comes in: `alt` if there is one, and then `file`.

        Args:
            content_type: The header of the request.

        Raises:
            TooManyUploads: Before anything of it is read.
            AltInvalid: As `Pictures.offer_upload` says.
            Invalid: The form or its file is refused, with a code that says why. Nothing of it is kept.
        """
        ...

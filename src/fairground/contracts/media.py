"""Media: uploaded pictures, and the sizes in which pages show them."""

from collections.abc import AsyncIterator, Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from urllib.parse import urlsplit
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import Conflict, Invalid, LimitExceeded, NotFound
from fairground.kernel.messages import Event, Priority, Queue


class PictureState(StrEnum):
    AWAITED = "awaited"
    """A form was offered; its file has not been checked."""
    PROCESSING = "processing"
    """The file was accepted; its first sizes are being made."""
    READY = "ready"
    REFUSED = "refused"


class Refusal(DTO):
    """Why a file was refused, as in its problem document."""

    code: str
    detail: str
    hint: str


class Picture(DTO):
    id: UUID
    state: PictureState
    alt: str
    """A description of the picture for people who cannot see it."""
    alt_version: int = 0
    """Grows with each change of the text, so that late events are recognised."""
    width_px: int | None = None
    """Of the original, upright; known once the picture is ready, like the next fields."""
    height_px: int | None = None
    colour: str | None = None
    """The average, as `#rrggbb`."""
    placeholder: str | None = None
    """A tiny version, as a `data:` URL."""
    url: str | None = None
    """Its address: for its owner alone until it is a portrait or in a gallery. `&w=` and others choose a size and a
    format (GET /api/v1/img/{picture_id})."""
    refusal: Refusal | None = None
    created_at: datetime


class PictureForm(DTO):
    """A form to send as multipart/form-data: its fields as they are, and after them the file as `file`."""

    url: str
    """It begins with a slash where it is on this server."""
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
    hint = "Complete or delete the uploads you have started."


class AltInvalid(Invalid):
    code = "media.alt_invalid"


class PictureReady(Event):
    """The picture can be shown. It becomes ready once: its pixels never change."""

    topic: ClassVar = "media.picture_ready.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    picture_id: UUID
    owner_id: UUID
    width_px: int
    height_px: int
    colour: str
    placeholder: str
    url: str


class PictureRefused(Event):
    topic: ClassVar = "media.picture_refused.v1"
    queue: ClassVar = Queue.PICTURES
    priority: ClassVar = Priority.HIGH
    picture_id: UUID
    owner_id: UUID
    code: str


class PictureDescribed(Event):
    """Its owner has changed the text."""

    topic: ClassVar = "media.picture_described.v1"
    queue: ClassVar = Queue.PICTURES
    picture_id: UUID
    owner_id: UUID
    alt: str
    alt_version: int


class PictureDeleted(Event):
    """Its owner has deleted it; it is not shown any more."""

    topic: ClassVar = "media.picture_deleted.v1"
    queue: ClassVar = Queue.PICTURES
    picture_id: UUID
    owner_id: UUID


def avatar_url(provider_id: UUID, *, picture_url: str) -> str:
    """Return the address of a provider's picture as a square.

    It has the version of the picture, so that caches never show an older one. `&w=` and others choose a size and a
    format (GET /api/v1/img/avatar/{provider_id}).

    Args:
        picture_url: The address of the whole picture.
    """
    return f"/api/v1/img/avatar/{provider_id}?{urlsplit(picture_url).query}"


def list_avatar_url(provider_id: UUID, *, picture_url: str | None) -> str:
    """Return the address of an avatar in a list: a square of 512 pixels for 256, or initials where there is none.

    Args:
        picture_url: An address that `avatar_url` made, whose version is kept; None for initials.
    """
    address = f"/api/v1/img/avatar/{provider_id}"
    version = urlsplit(picture_url or "").query if (picture_url or "").startswith(address) else ""
    return f"{address}?{version}{'&' if version else ''}w=256&dpr=2&q=90"


class PicturesReport(DTO):
    by_state: dict[PictureState, int]
    bare: int
    """Originals that were rendered and have no rendition left."""
    lost_originals: int
    """Files that rows refer to and the store does not have, as in the next field."""
    lost_renditions: int


class OriginalFile(DTO):
    media_type: str
    content: bytes


class PictureMaintenance(Protocol):
    """The state of pictures, for operators."""

    async def inspect_pictures(self) -> PicturesReport: ...

    async def find_missing(self, *, picture_ids: Collection[UUID]) -> set[UUID]:
        """Return those of the pictures that do not exist."""
        ...

    async def find_original(self, *, picture_id: UUID) -> OriginalFile | None:
        """Return the file that was uploaded; None when there is no such picture, or its file is lost."""
        ...


class Pictures(Protocol):
    async def offer_upload(self, *, owner_id: UUID, content_type: str, alt: str = "") -> UploadOffer:
        """Return a form with which the owner's browser sends one file.

        Raises:
            PictureTypeRefused: Files of this type are not taken.
            AltInvalid: The text is longer than 500 characters, or holds invisible characters.
            TooManyUploads, TooManyOpenUploads
        """
        ...

    async def complete_upload(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        """Check the uploaded file, keep it, and have its sizes made. Repeating the call returns the picture as it is.

        Raises:
            PictureNotFound: No such picture, or it is another owner's.
            UploadMissing: The file has not been sent.
            Invalid: The file is refused, with the reason as its code; `refusal` of the picture has it from now on.
        """
        ...

    async def get_picture(self, *, owner_id: UUID, picture_id: UUID) -> Picture:
        """Return the picture; raise PictureNotFound when there is none, or it is another owner's."""
        ...

    async def describe_picture(self, *, owner_id: UUID, picture_id: UUID, alt: str) -> Picture:
        """Change the text of a picture, in any state.

        Raises:
            PictureNotFound: No such picture, or it is another owner's.
            AltInvalid: As `offer_upload` says.
        """
        ...

    async def add_picture(self, *, picture_id: UUID, owner_id: UUID, content: bytes, alt: str) -> Picture:
        """Add a picture of another module, under an id of its choice, and have its sizes made.

        Repeating the call returns the picture as it is. It counts towards no limit.

        Raises:
            Invalid: The file is refused, with a code that says why; nothing of it is kept.
            PictureNotFound: The id is a picture of another owner.
        """
        ...

    async def delete_picture(self, *, owner_id: UUID, picture_id: UUID) -> None:
        """Delete the picture at once, and its files later. Deleting a missing one is no error."""
        ...

    async def transfer_pictures(self, *, from_owner_id: UUID, to_owner_id: UUID) -> None:
        """Make all pictures of one owner another's. Repeating the call transfers those that came meanwhile."""
        ...


class PictureForms(Protocol):
    """Takes a form with a picture in it, as browsers send it without script."""

    @property
    def max_bytes(self) -> int:
        """The size of the largest file that is taken."""
        ...

    async def take_form(self, *, owner_id: UUID, content_type: str, body: AsyncIterator[bytes]) -> Picture:
        """Take multipart/form-data while it arrives: `alt` if there is one, and then `file`.

        Args:
            content_type: The header of the request.

        Raises:
            TooManyUploads: Before any of it is read.
            AltInvalid: As `Pictures.offer_upload` says.
            Invalid: The form or its file is refused, with a code that says why. Nothing of it is kept.
        """
        ...


class ImageFormat(StrEnum):
    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpeg"


class ImageRequest(DTO):
    """The size and format in which a browser asks for a picture."""

    width_px: float
    """In pixels of the screen. Rounded up to a step, as the quality is."""
    quality: int
    """On the scale of JPEG, whatever the format."""
    format: ImageFormat
    if_none_match: str = ""
    """The request's header: ETags of images that the browser has."""
    is_head: bool = False
    """True where `content` is not needed."""


class Image(DTO):
    """A picture in the size and format of a request."""

    etag: str
    """Quoted. It names the bytes: the same picture, size and format have the same ETag."""
    version: str
    """Of the picture, as the `v` of its address."""
    media_type: str
    is_known: bool
    """True where the browser has it already; then the fields below are empty, and no file was read."""
    is_new: bool
    """True where it was made for this request, or for a concurrent one."""
    cdn_url: str | None
    """Its address at a CDN, which is to be used instead of `content`."""
    size_bytes: int
    content: bytes


class Images(Protocol):
    """Pictures in any size. The module that has an address for a picture decides who may see it there."""

    async def get_image(self, *, picture_id: UUID, request: ImageRequest, draft_of: UUID | None = None) -> Image:
        """Return a picture at least as wide as requested, or as wide as it is: whichever is less.

        Args:
            draft_of: The only user who may see it, where it is not public.

        Raises:
            PictureNotFound: No such picture, it is not ready, or `draft_of` does not own it.
            RendererBusy: The queue of the renderer is full.
            Unavailable: A part does not answer.
        """
        ...

    async def get_avatar(
        self, *, provider_id: UUID, name: str, picture_id: UUID | None, request: ImageRequest
    ) -> Image:
        """Return the middle of a public portrait as a square of the requested width, or a monogram without one.

        Args:
            provider_id: Decides the colour of the monogram.
            picture_id: The portrait. A missing one is no error.

        Raises:
            RendererBusy, Unavailable: As `get_image` says.
        """
        ...

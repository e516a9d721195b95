"""Portraits and galleries: which pictures of media a provider shows, chosen by its owner."""

from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.media import Picture, PictureState
from fairground.contracts.providers.profiles import OwnProvider
from fairground.kernel.errors import Conflict

GALLERY_MAX: Final = 30  # pictures per provider


class PictureNotUsable(Conflict):
    code = "catalog.picture_not_usable"
    hint = "Upload the picture and complete the upload first. A refused picture says why."


class GalleryFull(Conflict):
    code = "catalog.gallery_full"
    hint = "Remove one first: DELETE /api/v1/service-provider-profiles/{provider_id}/gallery/{picture_id}."


class GalleryChanged(Conflict):
    code = "catalog.gallery_changed"
    hint = "Send every picture of GET /api/v1/me/provider/gallery exactly once."


class PortraitPlacement(DTO):
    is_placed: bool
    """False when the owner has chosen another picture."""
    superseded_id: UUID | None = None
    """The picture that an earlier import placed."""


class Portraits(Protocol):
    async def find_portrait(self, *, owner_id: UUID) -> Picture | None:
        """Return the picture that the owner chose last, in any state; None when there is none."""
        ...

    async def choose_portrait(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnProvider:
        """Choose one of the owner's pictures; the previous portrait shows until it is ready.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            PictureNotFound: No such picture, or it belongs to another account.
            PictureNotUsable: Its upload is not complete, or it was refused.
        """
        ...

    async def remove_portrait(self, *, owner_id: UUID, provider_id: UUID) -> None:
        """Remove the portrait, if there is one; media keeps the picture.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
        """
        ...

    async def place_imported_portrait(self, *, provider_id: UUID, picture: Picture) -> PortraitPlacement:
        """Show a picture of an import unless the owner has chosen one. Repeating the call changes nothing.

        Args:
            picture: A ready picture.

        Raises:
            ProviderNotFound: No such provider.
        """
        ...


class GalleryPicture(DTO):
    id: UUID
    url: str
    """Its public address. `&w=` and others choose a size and a format (GET /api/v1/img/{picture_id})."""
    alt: str
    """A description for people who cannot see the picture; it may be empty."""
    width_px: int
    """Of the upright original."""
    height_px: int
    colour: str
    """The average colour, as `#rrggbb`."""
    placeholder: str
    """A tiny version, as a `data:` address."""


class OwnGalleryPicture(DTO):
    """A picture of the gallery as its owner sees it, even before it is ready."""

    id: UUID
    state: PictureState
    """`processing` or `ready`; one that media refuses leaves the gallery."""
    url: str | None
    """As in the public gallery, like the following fields. All but `alt` are None until the picture is ready."""
    alt: str
    width_px: int | None
    height_px: int | None
    colour: str | None
    placeholder: str | None
    hidden_reason: str | None = None
    """Why staff have hidden it from all but the owner; None for a picture that is not hidden."""


class Galleries(Protocol):
    async def list_chosen(self, *, after: UUID) -> list[UUID]:
        """Return the next 500 pictures that are portraits or in galleries, in the order of their ids."""
        ...

    async def list_gallery(self, *, id_or_slug: str) -> list[GalleryPicture]:
        """Return the public gallery of an approved provider: the pictures that are ready, in order.

        Raises:
            ProviderNotFound: No such provider, or it is not approved.
        """
        ...

    async def list_own_gallery(self, *, owner_id: UUID) -> list[OwnGalleryPicture]:
        """Return the caller's own gallery in order; raise ProviderNotFound when the caller has no profile."""
        ...

    async def add_to_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnGalleryPicture:
        """Append one of the owner's pictures; it shows as soon as it is ready.

        A picture that is in the gallery keeps its position. A portrait may be in the gallery as well.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            PictureNotFound: No such picture, or it belongs to another account.
            PictureNotUsable: Its upload is not complete, or it was refused.
            GalleryFull: The gallery has GALLERY_MAX pictures.
        """
        ...

    async def remove_from_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> None:
        """Remove a picture from the gallery, if it is there; media keeps it.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
        """
        ...

    async def order_gallery(
        self, *, owner_id: UUID, provider_id: UUID, picture_ids: Sequence[UUID]
    ) -> list[OwnGalleryPicture]:
        """Set the order of the gallery, which names each of its pictures once, and return the gallery.

        Raises:
            ProviderNotFound: No such provider, or it belongs to another account.
            GalleryChanged: The gallery has other pictures.
        """
        ...

    async def append_imported_picture(self, *, provider_id: UUID, picture: Picture) -> None:
        """Append a picture of an import. Repeating the call changes nothing.

        Args:
            picture: A ready picture.

        Raises:
            ProviderNotFound: No such provider.
            GalleryFull: The gallery has GALLERY_MAX pictures.
        """
        ...

    async def count_data_addresses(self) -> int:
        """Return the number of portraits and gallery pictures whose address is a `data:` URL."""
        ...

"""Portraits and galleries: which pictures of media a provider shows, chosen by its owner."""

from collections.abc import Sequence
from typing import Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.media import Picture, PictureState
from fairground.contracts.providers.profiles import OwnProvider

GALLERY_MAX: Final = 30  # pictures of one provider


class PortraitPlacement(DTO):
    is_placed: bool
    """False where the owner has chosen another picture."""
    superseded_id: UUID | None = None
    """The picture that an earlier import had placed."""


class Portraits(Protocol):
    async def find_portrait(self, *, owner_id: UUID) -> Picture | None:
        """Return the picture that the owner has chosen last, as it stands; None when there is none."""
        ...

    async def choose_portrait(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnProvider:
        """Choose one of the owner's pictures; until it is ready, what was there before is shown.

        Raises:
            ProviderNotFound: There is none, or it belongs to another account.
            PictureNotFound: There is none, or it belongs to another account.
            PictureNotUsable: No file has come for it, or it was refused.
        """
        ...

    async def remove_portrait(self, *, owner_id: UUID, provider_id: UUID) -> None:
        """Show no portrait from now on; media keeps the picture. Where there is none, that is no mistake.

        Raises:
            ProviderNotFound: There is none, or it belongs to another account.
        """
        ...

    async def place_imported_portrait(self, *, provider_id: UUID, picture: Picture) -> PortraitPlacement:
        """Show a picture of an import, unless the owner has chosen one. Repeating it changes nothing.

        Args:
            picture: One that is ready.

        Raises:
            ProviderNotFound: There is none.
        """
        ...


class GalleryPicture(DTO):
    id: UUID
    url: str
    """Its public address. `&w=` and others choose a size and a format (GET /api/v1/img/{picture_id})."""
    alt: str
    """What is to be seen on it, for those who cannot see it; it may be empty."""
    width_px: int
    """Of what was brought, upright."""
    height_px: int
    colour: str
    """The average, as `#rrggbb`."""
    placeholder: str
    """A tiny version, as a `data:` address."""


class OwnGalleryPicture(DTO):
    """A picture of the gallery as its owner sees it, also before it can be shown."""

    id: UUID
    state: PictureState
    """`processing` or `ready`; one that media refuses leaves the gallery."""
    url: str | None
    """As all that follows but the text, as the public sees it, and None until the picture is ready."""
    alt: str
    width_px: int | None
    height_px: int | None
    colour: str | None
    placeholder: str | None


class Galleries(Protocol):
    async def list_chosen(self, *, after: UUID) -> list[UUID]:
        """Return the next 500 pictures that are portraits or in galleries, in the order of their ids."""
        ...

    async def list_gallery(self, *, id_or_slug: str) -> list[GalleryPicture]:
        """Return the public gallery of an approved provider: the pictures that are ready, in order.

        Raises:
            ProviderNotFound: There is none, or it is not approved.
        """
        ...

    async def list_own_gallery(self, *, owner_id: UUID) -> list[OwnGalleryPicture]:
        """Return the caller's own gallery in order; raise ProviderNotFound when the caller has no profile."""
        ...

    async def add_to_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> OwnGalleryPicture:
        """Put one of the owner's pictures behind the others; it shows as soon as it is ready.

        One that is there already stays where it is. A picture may be portrait as well.

        Raises:
            ProviderNotFound: There is none, or it belongs to another account.
            PictureNotFound: There is none, or it belongs to another account.
            PictureNotUsable: No file has come for it, or it was refused.
            GalleryFull: There are GALLERY_MAX already.
        """
        ...

    async def remove_from_gallery(self, *, owner_id: UUID, provider_id: UUID, picture_id: UUID) -> None:
        """Take a picture out of the gallery; media keeps it. One that is not there is no mistake.

        Raises:
            ProviderNotFound: There is none, or it belongs to another account.
        """
        ...

    async def order_gallery(
        self, *, owner_id: UUID, provider_id: UUID, picture_ids: Sequence[UUID]
    ) -> list[OwnGalleryPicture]:
        """Give the gallery a new order, which names each of its pictures once; return it.

        Raises:
            ProviderNotFound: There is none, or it belongs to another account.
            GalleryChanged: These are not the pictures that are there (any more).
        """
        ...

    async def append_imported_picture(self, *, provider_id: UUID, picture: Picture) -> None:
        """Put a picture of an import behind the others. Repeating it changes nothing.

        Args:
            picture: One that is ready.

        Raises:
            ProviderNotFound: There is none.
            GalleryFull: There are GALLERY_MAX already.
        """
        ...

    async def count_data_addresses(self) -> int:
        """Return the number of portraits and gallery pictures whose address is a `data:` URL."""
        ...

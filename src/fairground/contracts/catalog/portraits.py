"""The one picture that stands for a provider, chosen by its owner: `links.of(Portraits)`."""

from typing import Protocol
from uuid import UUID

from fairground.contracts.catalog.providers import OwnProvider
from fairground.contracts.dto import DTO
from fairground.contracts.media import Picture


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
            ProviderNotFound: There is none, or it is somebody else's.
            PictureNotFound: There is none, or it is somebody else's.
            PictureNotUsable: No file has come for it, or it was refused.
        """
        ...

    async def remove_portrait(self, *, owner_id: UUID, provider_id: UUID) -> None:
        """Show no portrait from now on; media keeps the picture. Where there is none, that is no mistake.

        Raises:
            ProviderNotFound: There is none, or it is somebody else's.
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

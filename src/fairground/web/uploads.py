"""What takes a form with a picture in it. Media does; pages import no module."""

from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from fairground.contracts.media import Picture


class PictureForms(Protocol):
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

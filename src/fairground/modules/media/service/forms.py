"""Pictures that come in one form, as browsers send them without script: to the API, or to a page."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from fairground.contracts.media import Picture
from fairground.modules.media.service.pictures import PictureService
from fairground.platform.storage.uploads import receive_file


class FormIntake:
    def __init__(self, pictures: PictureService, *, spool: Path) -> None:
        """Take forms whose files lie in a folder on the disk meanwhile."""
        self._pictures = pictures
        self._spool = spool

    @property
    def max_bytes(self) -> int:
        return self._pictures.max_bytes

    async def take_form(self, *, owner_id: UUID, content_type: str, body: AsyncIterator[bytes]) -> Picture:
        """Take multipart/form-data as it comes in: `alt` if there is one, and then `file`.

        Args:
            content_type: The header of the request.

        Raises:
            TooManyUploads: Before anything of it is read.
            AltInvalid: As `Pictures.offer_upload` says.
            Invalid: The form or its file is refused, with a code that says why. Nothing of it is kept.
        """
        await self._pictures.admit(owner_id)
        async with receive_file(content_type, body, spool=self._spool, bound=lambda _fields: self.max_bytes) as sent:
            alt = sent.fields.get("alt", "")
            return await self._pictures.take_file(owner_id=owner_id, file=sent.file, alt=alt)

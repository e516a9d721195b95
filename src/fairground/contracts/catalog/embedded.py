"""Pictures that came with an import, or stood in our tables as `data:` addresses, on their way to being files.

Source systems keep pictures as base64 in their rows. Here they wait until staff has them made into pictures of media,
which judges and renders them like any other; only then does anybody see them.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.kernel.errors import NotFound

FAILURES_TOLD: Final = 100


class PicturePlace(StrEnum):
    """Where a picture stood in the system that it comes from."""

    PORTRAIT = "portrait"
    PORTFOLIO = "portfolio"
    SERVICE = "service"
    """Of a service; it comes into the gallery of the provider, as services show no pictures here."""


class PictureSubject(StrEnum):
    """What one migration takes on."""

    SERVICE_MEDIA = "service-media"
    PROFILE_IMAGES = "profile-images"
    """Portraits and portfolios."""

    @property
    def places(self) -> tuple[PicturePlace, ...]:
        if self is PictureSubject.SERVICE_MEDIA:
            return (PicturePlace.SERVICE,)
        return (PicturePlace.PORTRAIT, PicturePlace.PORTFOLIO)


class EmbeddedFailure(DTO):
    """A picture that could not be made into a file. Its bytes are kept; nobody sees them."""

    provider_id: UUID
    place: PicturePlace
    code: str
    detail: str


class PictureMigration(DTO):
    """One run. `found` is the sum of the others and of what is still under way."""

    id: UUID
    subject: PictureSubject
    found: int
    migrated: int
    """Shown now, as a portrait or in a gallery."""
    failed: int
    failures: list[EmbeddedFailure]
    """At most 100 of them."""
    started_at: datetime
    finished_at: datetime | None
    """None while it goes on."""


class EmbeddedReport(DTO):
    """What there is of embedded pictures."""

    waiting: dict[PictureSubject, int]
    failed: dict[str, int]
    """By code."""
    addresses: int
    """Rows with a `data:` address where the address of a picture belongs, which the database refuses."""


class MigrationNotFound(NotFound):
    code = "catalog.migration_not_found"


class EmbeddedPictures(Protocol):
    async def start_migration(self, *, subject: PictureSubject, actor: str) -> PictureMigration:
        """Make pictures of what waits, in the background; return the run that goes on already, if there is one.

        Args:
            actor: Who asks for it, for the record that is kept of it.
        """
        ...

    async def get_migration(self, *, migration_id: UUID) -> PictureMigration:
        """Raise MigrationNotFound when there is none."""
        ...

    async def find_latest_migration(self, *, subject: PictureSubject) -> PictureMigration | None:
        """Return the run that began last."""
        ...

    async def count_waiting(self, *, subject: PictureSubject) -> int:
        """Return how many pictures the next run would find."""
        ...

    async def inspect_embedded(self) -> EmbeddedReport: ...

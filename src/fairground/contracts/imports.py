"""Imports: rows of other systems, and the pictures in them.

Source systems keep pictures as base64 in their rows, or name them by address. An embedded picture waits until staff has
it made into a picture of media; an address is fetched in the background. Media checks and renders both like an upload,
and the public sees them only then.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from pydantic import Field

from fairground.contracts.dto import DTO
from fairground.contracts.providers import ExternalProvider
from fairground.kernel.errors import NotFound

FAILURES_LISTED_MAX: Final = 100


class PicturePlace(StrEnum):
    """Where a picture was in the system that it comes from."""

    PORTRAIT = "portrait"
    PORTFOLIO = "portfolio"
    SERVICE = "service"
    """Of a service; it goes into the provider's gallery, because services show no pictures here."""


class ImportedPicture(DTO):
    """A picture of a row: embedded in it, or named by address."""

    place: PicturePlace
    content: bytes = b""
    url: str | None = None
    """Where it is fetched from, instead of `content`."""
    alt: str


class ImportedProvider(ExternalProvider):
    """One row of an import, already checked. Its `categories` are slugs of the vertical."""

    pictures: list[ImportedPicture] = Field(default_factory=list)


class ImportOutcome(DTO):
    created: int
    updated: int
    unchanged: int
    pictures: int
    """New embedded ones of unclaimed providers, which wait to be made into files."""
    addresses: int = 0
    """Pictures of unclaimed providers that are being fetched: new addresses, and those of rows that have changed."""


class Imports(Protocol):
    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        """Create or update up to 500 unclaimed providers in one transaction and one event.

        A provider is recognised by `source` and `external_id`. A claimed one stays as it is and counts as unchanged.
        A step that was interrupted is completed by repeating it.

        Raises:
            VerticalUnknown, CategoryUnknown, ProfileInvalid, ServiceInvalid: The step is rolled back; the detail begins
                with the external id of the row.
        """
        ...


class PictureSubject(StrEnum):
    """The pictures that one migration handles."""

    SERVICE_MEDIA = "service-media"
    PROFILE_IMAGES = "profile-images"
    """Portraits and portfolios."""

    @property
    def places(self) -> tuple[PicturePlace, ...]:
        if self is PictureSubject.SERVICE_MEDIA:
            return (PicturePlace.SERVICE,)
        return (PicturePlace.PORTRAIT, PicturePlace.PORTFOLIO)


class EmbeddedFailure(DTO):
    """A picture that could not be made into a file. Its bytes are kept and not shown."""

    provider_id: UUID
    place: PicturePlace
    code: str
    detail: str


class PictureMigration(DTO):
    """One run. `found` is the sum of `migrated`, `failed` and the pictures in progress."""

    id: UUID
    subject: PictureSubject
    found: int
    migrated: int
    """Now shown as a portrait or in a gallery."""
    failed: int
    failures: list[EmbeddedFailure]
    """At most FAILURES_LISTED_MAX."""
    started_at: datetime
    finished_at: datetime | None
    """None while the run is in progress."""


class FailedAddress(DTO):
    """A picture that could not be fetched, or is none that can be shown."""

    provider_id: UUID
    url: str
    code: str
    detail: str


class EmbeddedReport(DTO):
    """Counts of pictures of imports."""

    waiting: dict[PictureSubject, int]
    fetching: int
    """Addresses that are being fetched, or whose pictures are being rendered."""
    failed: dict[str, int]
    """By code, both kinds."""
    failed_addresses: list[FailedAddress]
    """At most FAILURES_LISTED_MAX."""
    addresses: int
    """Rows of providers with a `data:` URL as a picture's address, which the database refuses."""


class MigrationNotFound(NotFound):
    code = "catalog.migration_not_found"


class EmbeddedPictures(Protocol):
    async def start_migration(self, *, subject: PictureSubject, actor: UUID | None) -> PictureMigration:
        """Start making the waiting pictures into files in the background; return the running migration if there is one.

        Args:
            actor: The user who starts it, for the audit trail; None for a command.
        """
        ...

    async def get_migration(self, *, migration_id: UUID) -> PictureMigration:
        """Raise MigrationNotFound when there is none."""
        ...

    async def find_latest_migration(self, *, subject: PictureSubject) -> PictureMigration | None:
        """Return the run that started last."""
        ...

    async def count_waiting(self, *, subject: PictureSubject) -> int:
        """Return the number of pictures that the next run would find."""
        ...

    async def inspect_embedded(self) -> EmbeddedReport: ...

    async def list_waiting(self, *, provider_id: UUID) -> list[ImportedPicture]:
        """Return the pictures of a provider that wait, for staff or to be fetched, the newest first."""
        ...

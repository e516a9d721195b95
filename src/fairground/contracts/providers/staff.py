"""Providers as staff see and moderate them, in any state."""

from datetime import datetime
from typing import ClassVar, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.providers.pictures import OwnGalleryPicture
from fairground.contracts.providers.profiles import OwnProvider, ProviderStatus
from fairground.kernel.errors import Conflict, NotFound
from fairground.kernel.messages import Event


class StaffProviderCard(DTO):
    """A provider in a list of staff."""

    id: UUID
    slug: str
    business_name: str
    vertical: str
    location: str
    status: ProviderStatus
    is_suspended: bool
    """Whether staff have suspended it; its status is `suspended` also while its owner's account is."""
    is_claimed: bool
    created_at: datetime


class StaffProviderPage(DTO):
    data: list[StaffProviderCard]
    next_cursor: str | None
    """None when nothing follows."""


class ApprovalStep(DTO):
    """How a provider came from one status to another."""

    at: datetime
    actor_id: UUID
    from_status: ProviderStatus
    to_status: ProviderStatus
    reason: str | None


class DecidedProvider(DTO):
    """An approved or rejected profile, as the list of decisions shows it."""

    id: UUID
    business_name: str
    vertical: str
    location: str
    decided_at: datetime
    reason: str | None
    """Of a rejection."""


class StaffProvider(DTO):
    """All that staff see of a provider."""

    provider: OwnProvider
    is_suspended: bool
    gallery: list[OwnGalleryPicture]
    portrait_id: UUID | None
    """The picture that the provider has chosen as its portrait."""
    portrait_hidden_reason: str | None
    """Why staff have hidden the portrait; None for one that is not hidden."""
    history: list[ApprovalStep]
    """The latest 100 steps, the last one first."""


class SuspensionConflict(Conflict):
    code = "providers.suspension_conflict"


class PictureVisibilityConflict(Conflict):
    code = "providers.picture_visibility_conflict"


class ProviderPictureNotFound(NotFound):
    code = "providers.picture_not_found"
    hint = "The provider may have removed it; open the provider again."


class ProviderSuspended(Event):
    """Staff have hidden a provider. The version only grows, also with each restoration."""

    topic: ClassVar = "providers.suspended.v1"
    provider_id: UUID
    owner_id: UUID | None
    business_name: str
    reason: str
    version: int


class ProviderRestored(Event):
    """Staff have ended a suspension."""

    topic: ClassVar = "providers.restored.v1"
    provider_id: UUID
    owner_id: UUID | None
    business_name: str
    version: int


class StaffProviders(Protocol):
    """Each method raises StaffOnly for an account that may not do this. Every change is in the audit trail."""

    async def search_providers(
        self,
        *,
        staff_id: UUID,
        words: str = "",
        status: ProviderStatus | None = None,
        vertical: str | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffProviderPage:
        """Return providers in any state, also unclaimed ones, the newest first.

        Args:
            words: Beginnings of words of the name, all of which a provider has; or the id of a provider.
            status: The shown one: `suspended` for all that are hidden.

        Raises:
            CursorInvalid
        """
        ...

    async def get_provider_for_staff(self, *, staff_id: UUID, provider_id: UUID) -> StaffProvider:
        """Raise ProviderNotFound when there is none."""
        ...

    async def list_decided(self, *, staff_id: UUID, status: ProviderStatus, limit: int) -> list[DecidedProvider]:
        """Return the latest decisions by which profiles were approved or rejected, the last one first."""
        ...

    async def suspend_provider(self, *, staff_id: UUID, provider_id: UUID, reason: str) -> StaffProvider:
        """Hide a provider from its page, lists, search and sitemaps, and refuse new bookings; bookings stay.

        Args:
            reason: Its owner reads it.

        Raises:
            ProviderNotFound
            ProfileInvalid: The reason is empty or too long.
            SuspensionConflict: Staff have suspended it already.
        """
        ...

    async def restore_provider(self, *, staff_id: UUID, provider_id: UUID) -> StaffProvider:
        """End a suspension. The provider stays hidden while its owner's account is suspended.

        Raises:
            ProviderNotFound
            SuspensionConflict: Staff have not suspended it.
        """
        ...

    async def hide_picture(self, *, staff_id: UUID, provider_id: UUID, picture_id: UUID, reason: str) -> StaffProvider:
        """Hide a picture of the gallery or the portrait from all but the owner, also where it is chosen again.

        Raises:
            ProviderNotFound
            ProviderPictureNotFound: The provider does not show it.
            ProfileInvalid: The reason is empty or too long.
            PictureVisibilityConflict: It is hidden already.
        """
        ...

    async def show_picture(self, *, staff_id: UUID, provider_id: UUID, picture_id: UUID) -> StaffProvider:
        """Stop hiding a picture; raise ProviderNotFound, or PictureVisibilityConflict when it is not hidden."""
        ...

"""Claims: how an imported provider gets an owner, by a mailed invitation or by a claim that staff grants."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from fairground.contracts.dto import DTO
from fairground.contracts.providers.profiles import ProviderRef
from fairground.kernel.errors import Conflict, Invalid, LimitExceeded, NotFound
from fairground.kernel.messages import Event

INVITATION_DAYS: Final = 14  # that a mailed link can be used


class ClaimStatus(StrEnum):
    """waiting → granted, or refused with a reason."""

    WAITING = "waiting"
    GRANTED = "granted"
    REFUSED = "refused"


class Claim(DTO):
    """A user's statement that an unclaimed provider is theirs."""

    id: UUID
    provider_id: UUID
    provider_name: str
    provider_slug: str
    user_id: UUID
    status: ClaimStatus
    reason: str
    """What the user writes about who they are, for staff alone."""
    refusal: str | None
    """Why it was refused."""
    created_at: datetime


class ClaimToDecide(Claim):
    """A claim as staff sees it."""

    claimant_name: str
    claimant_email: str
    contact_email: str | None
    """The address of the provider in the import, to compare with."""


class Invitation(DTO):
    """A mailed link that makes its holder the owner of a provider."""

    provider_id: UUID
    provider_name: str
    provider_slug: str
    email: str
    """Where the link was mailed to, which proves that the holder receives mail there."""


class ProviderClaimRequested(Event):
    topic: ClassVar = "providers.claim_requested.v1"
    claim_id: UUID
    provider_id: UUID
    user_id: UUID
    business_name: str


class ProviderClaimed(Event):
    """An unclaimed provider has an owner now."""

    topic: ClassVar = "providers.claimed.v1"
    provider_id: UUID
    owner_id: UUID
    business_name: str
    slug: str


class ProviderClaimRefused(Event):
    topic: ClassVar = "providers.claim_refused.v1"
    claim_id: UUID
    provider_id: UUID
    user_id: UUID
    business_name: str
    slug: str
    reason: str


class AlreadyClaimed(Conflict):
    code = "catalog.already_claimed"
    hint = "If this is your page, contact support."


class ClaimNotFound(NotFound):
    code = "catalog.claim_not_found"


class ClaimExists(Conflict):
    code = "catalog.claim_exists"
    hint = "We'll email you the decision."


class ClaimDecided(Conflict):
    code = "catalog.claim_decided"


class TooManyClaims(LimitExceeded):
    code = "catalog.too_many_claims"


class InvitationUnusable(Invalid):
    """A mailed link that has expired, was used before, or never existed."""

    code = "catalog.invitation_unusable"
    hint = "Open the page of the provider and press “Claim this page”."


class Claims(Protocol):
    async def request_claim(self, *, user_id: UUID, provider_id: UUID, reason: str) -> Claim:
        """Claim an approved provider without an owner; staff decides.

        Raises:
            ProviderNotFound: No such provider, or it is not approved.
            AlreadyClaimed: It has an owner.
            ProfileExists: The account has a profile, and an account has one.
            NotAProvider: Staff cannot own a provider.
            EmailUnverified: The decision could not be mailed.
            ClaimExists: The account's claim of this provider waits already.
            TooManyClaims: More than five within a day.
            ProfileInvalid: `reason` is empty or too long.
        """
        ...

    async def find_own_claim(self, *, user_id: UUID, provider_id: UUID) -> Claim | None:
        """Return the user's newest claim of a provider."""
        ...

    async def list_waiting_claims(self, *, limit: int) -> list[ClaimToDecide]:
        """Return the claims that wait for a decision, the longest wait first."""
        ...

    async def get_claim(self, *, claim_id: UUID) -> ClaimToDecide:
        """Return any claim, for staff; raise ClaimNotFound when there is none."""
        ...

    async def grant_claim(self, *, staff_id: UUID, claim_id: UUID) -> Claim:
        """Make the claimant the owner; the other waiting claims of the provider are refused.

        Raises:
            ClaimNotFound, StaffOnly
            ClaimDecided: It is not waiting any more.
            AlreadyClaimed, ProfileExists: The provider or the account has changed since.
        """
        ...

    async def refuse_claim(self, *, staff_id: UUID, claim_id: UUID, reason: str) -> Claim:
        """Refuse a claim; its user reads the reason. Raise ClaimNotFound, ClaimDecided, StaffOnly or ProfileInvalid."""
        ...

    async def invite_owners(self) -> int:
        """Have invitations mailed to the addresses that imports brought; return their number.

        Providers whose last invitation can still be used get none.
        """
        ...

    async def get_invitation(self, *, token: str) -> Invitation:
        """Raise InvitationUnusable if the link cannot be used."""
        ...

    async def accept_invitation(self, *, user_id: UUID, token: str) -> ProviderRef:
        """Make the user the owner. The link, and all others of the provider, end with it.

        Raises:
            InvitationUnusable: The link cannot be used.
            ProfileExists: The account has a profile, and an account has one; the link stays usable.
            NotAProvider: Staff cannot own a provider.
        """
        ...

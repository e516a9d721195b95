"""Claims: a user says that an unclaimed provider is theirs, and staff decides. One provider gets one owner."""

from collections.abc import Collection
from datetime import timedelta
from typing import ClassVar, Final
from uuid import UUID

from fairground.contracts.accounts import Accounts, EmailUnverified, OwnAccounts, Role, User
from fairground.contracts.media import Pictures
from fairground.contracts.providers import NotAProvider, ProfileExists, ProviderRef, ProviderStatus
from fairground.contracts.providers.claims import (
    AlreadyClaimed,
    Claim,
    ClaimDecided,
    ClaimExists,
    ClaimNotFound,
    ClaimStatus,
    ClaimToDecide,
    ProviderClaimed,
    ProviderClaimRefused,
    ProviderClaimRequested,
    TooManyClaims,
)
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job, Queue
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.profiles import check_reason
from fairground.modules.providers.service.access import announce, lock_provider, not_found, require_staff
from fairground.modules.providers.store import claims as store
from fairground.modules.providers.store import profiles
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.common.rate_limits import Limit, RateLimiter
from fairground.platform.db.database import Database, WriteTx

# Each is read by a person, and the page belongs to one account.
_REQUESTS: Final = Limit("providers.claim", burst=5, interval=timedelta(days=1) / 5)
_OTHER_WAS_GRANTED: Final = "The page now belongs to another account."


class HandOverPictures(Job):
    """Make the pictures of an imported provider its owner's, so that they can be described and deleted."""

    topic: ClassVar = "providers.hand_over_pictures.v1"
    queue: ClassVar = Queue.PICTURES
    provider_id: UUID
    owner_id: UUID


class Ownership:
    """Makes a user the owner of an unclaimed provider."""

    def __init__(self, *, accounts: Accounts, own_accounts: OwnAccounts, pictures: Pictures, clock: Clock) -> None:
        self._accounts = accounts
        self._own_accounts = own_accounts
        self._pictures = pictures
        self._clock = clock

    async def prepare_owner(self, *, user_id: UUID) -> User:
        """Return a user who may own a provider: a customer becomes a provider. Call it outside of transactions.

        Raises:
            NotAProvider: Staff cannot own a provider.
        """
        user = await self._accounts.get_user(user_id=user_id)
        require_no_staff(user)
        await self._own_accounts.become_provider(user_id=user_id)
        return await self._accounts.get_user(user_id=user_id)

    async def set_owner(self, tx: WriteTx, provider_id: UUID, *, owner: User) -> ProviderRef:
        """Make the user the owner in the caller's transaction; other claims and links of the provider end.

        Raises:
            AlreadyClaimed, ProfileExists
            OwnerTaken: As ProfileExists, found out after a race; the transaction must be rolled back.
        """
        provider = await lock_provider(tx, provider_id)
        await require_unowned(tx, provider, user_id=owner.id)
        if not await store.set_owner(tx, provider_id, owner_id=owner.id, email=owner.email):
            raise already_claimed(provider)
        await store.delete_invitations_of(tx, provider_id)
        for other in await store.list_waiting_of(tx, provider_id):
            is_own = other.user_id == owner.id
            to = ClaimStatus.GRANTED if is_own else ClaimStatus.REFUSED
            await store.decide_claim(tx, other.id, to, staff_id=None, refusal=None if is_own else _OTHER_WAS_GRANTED)
            if not is_own:
                await tx.emit(refused_event(other, reason=_OTHER_WAS_GRANTED))
        await profiles.change_profile(tx, provider_id, {"updated_at": self._clock.now()})
        await announce(tx, provider)
        name, slug = provider.business_name, provider.slug
        await tx.emit(ProviderClaimed(provider_id=provider_id, owner_id=owner.id, business_name=name, slug=slug))
        await tx.enqueue(HandOverPictures(provider_id=provider_id, owner_id=owner.id))
        return provider.model_copy(update={"owner_id": owner.id})

    async def on_hand_over_pictures(self, job: HandOverPictures) -> None:
        await self._pictures.transfer_pictures(from_owner_id=job.provider_id, to_owner_id=job.owner_id)


async def require_unowned(tx: WriteTx, provider: ProviderRef, *, user_id: UUID) -> None:
    """Raise AlreadyClaimed or ProfileExists unless the user may become the provider's owner."""
    if provider.owner_id is not None:
        raise already_claimed(provider)
    if await profiles.find_ref_owned_by(tx, user_id) is not None:
        raise profile_exists()


def already_claimed(provider: ProviderRef) -> AlreadyClaimed:
    return AlreadyClaimed(f"{provider.business_name} already has an owner.")


def profile_exists() -> ProfileExists:
    return ProfileExists(
        "This account already has a profile.", hint="Use a different account. Each account has one profile."
    )


def require_no_staff(user: User) -> None:
    if user.role is Role.ADMIN:
        raise NotAProvider("Staff accounts can't have a profile.", hint="Use a personal account.", role=user.role)


def refused_event(claim: Claim, *, reason: str) -> ProviderClaimRefused:
    return ProviderClaimRefused(
        claim_id=claim.id,
        provider_id=claim.provider_id,
        user_id=claim.user_id,
        business_name=claim.provider_name,
        slug=claim.provider_slug,
        reason=reason,
    )


class ClaimRequests:
    def __init__(self, *, db: Database, accounts: Accounts, limiter: RateLimiter, ownership: Ownership) -> None:
        self._db = db
        self._accounts = accounts
        self._limiter = limiter
        self._ownership = ownership

    async def request_claim(self, *, user_id: UUID, provider_id: UUID, reason: str) -> Claim:
        reason = check_reason(reason)
        user = await self._accounts.get_user(user_id=user_id)
        require_no_staff(user)
        if not user.email_verified:
            raise EmailUnverified("Confirm your email address first, so we can send you the decision.")
        if wait_seconds := await self._limiter.take(_REQUESTS, key=str(user_id)):
            raise TooManyClaims("You've claimed too many pages today.", retry_after_seconds=wait_seconds)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            if provider.status is not ProviderStatus.APPROVED:
                raise not_found(provider_id)
            await require_unowned(tx, provider, user_id=user_id)
            claim = Claim(
                id=uuid7(),
                provider_id=provider_id,
                provider_name=provider.business_name,
                provider_slug=provider.slug,
                user_id=user_id,
                status=ClaimStatus.WAITING,
                reason=reason,
                refusal=None,
                created_at=await tx.current_time(),
            )
            if not await store.insert_claim(tx, claim):
                raise ClaimExists(f"Your claim for {provider.business_name} is under review.")
            name = provider.business_name
            await tx.emit(
                ProviderClaimRequested(claim_id=claim.id, provider_id=provider_id, user_id=user_id, business_name=name)
            )
        return claim

    async def find_own_claim(self, *, user_id: UUID, provider_id: UUID) -> Claim | None:
        async with self._db.read() as tx:
            return await store.find_newest_claim(tx, provider_id=provider_id, user_id=user_id)

    async def list_waiting_claims(self, *, limit: int) -> list[ClaimToDecide]:
        async with self._db.read() as tx:
            claims = await store.list_waiting(tx, limit=limit)
            emails = await store.list_contact_emails(tx, [claim.provider_id for claim in claims])
        return await self._show_all(claims, emails)

    async def get_claim(self, *, claim_id: UUID) -> ClaimToDecide:
        async with self._db.read() as tx:
            claim = await store.find_claim(tx, claim_id)
            emails = await store.list_contact_emails(tx, [claim.provider_id]) if claim else {}
        [shown] = await self._show_all([_require(claim, claim_id)], emails)
        return shown

    async def grant_claim(self, *, staff_id: UUID, claim_id: UUID) -> Claim:
        await require_staff(self._accounts, staff_id)
        async with self._db.read() as tx:
            claim = _require(await store.find_claim(tx, claim_id), claim_id)
        _require_waiting(claim)
        owner = await self._ownership.prepare_owner(user_id=claim.user_id)
        try:
            async with self._db.write() as tx:
                await lock_provider(tx, claim.provider_id)
                # First, so that the decision has the name of the one who made it.
                if not await store.decide_claim(tx, claim_id, ClaimStatus.GRANTED, staff_id=staff_id):
                    raise _decided()
                await self._ownership.set_owner(tx, claim.provider_id, owner=owner)
                await _record(tx, claim, ClaimStatus.GRANTED, staff_id=staff_id)
        except store.OwnerTaken:
            raise profile_exists() from None
        return claim.model_copy(update={"status": ClaimStatus.GRANTED})

    async def refuse_claim(self, *, staff_id: UUID, claim_id: UUID, reason: str) -> Claim:
        reason = check_reason(reason)
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            claim = _require(await store.find_claim(tx, claim_id), claim_id)
            if not await store.decide_claim(tx, claim_id, ClaimStatus.REFUSED, staff_id=staff_id, refusal=reason):
                raise _decided()
            await tx.emit(refused_event(claim, reason=reason))
            await _record(tx, claim, ClaimStatus.REFUSED, staff_id=staff_id, reason=reason)
        return claim.model_copy(update={"status": ClaimStatus.REFUSED, "refusal": reason})

    async def _show_all(self, claims: Collection[Claim], emails: dict[UUID, str]) -> list[ClaimToDecide]:
        users = await self._accounts.find_users(user_ids={claim.user_id for claim in claims})
        return [
            ClaimToDecide(
                **dict(claim),
                claimant_name=users[claim.user_id].name if claim.user_id in users else "",
                claimant_email=users[claim.user_id].email if claim.user_id in users else "",
                contact_email=emails.get(claim.provider_id),
            )
            for claim in claims
        ]


async def _record(tx: WriteTx, claim: Claim, to: ClaimStatus, *, staff_id: UUID, reason: str | None = None) -> None:
    await record_action(
        tx,
        action="providers.refuse_claim" if to is ClaimStatus.REFUSED else "providers.grant_claim",
        actor=staff_id,
        subject=AuditSubject("provider", claim.provider_id),
        changes={"claim_status": (claim.status, to)},
        reason=reason,
        details={"claim_id": str(claim.id), "user_id": str(claim.user_id)},
    )


def _require(claim: Claim | None, claim_id: UUID) -> Claim:
    if claim is None:
        raise ClaimNotFound(f"Claim {claim_id} does not exist.")
    return claim


def _require_waiting(claim: Claim) -> None:
    if claim.status is not ClaimStatus.WAITING:
        raise _decided()


def _decided() -> ClaimDecided:
    return ClaimDecided("This claim has already been decided.")

"""Claims of unclaimed providers, mailed invitations to claim one, and the owner that either of them sets."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from fairground.contracts.providers import ProviderStatus
from fairground.contracts.providers.claims import Claim, ClaimStatus, Invitation
from fairground.modules.providers.tables import ClaimRow, InvitationRow, ProviderPrivateRow, ProviderRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_CLAIM: Final = (
    ClaimRow.id,
    ClaimRow.provider_id,
    ProviderRow.business_name.label("provider_name"),
    ProviderRow.slug.label("provider_slug"),
    ClaimRow.user_id,
    ClaimRow.status,
    ClaimRow.reason,
    ClaimRow.refusal,
    ClaimRow.created_at,
)
_INVITED_MAX: Final = 500  # of one transaction


class OwnerTaken(Exception):
    """The account has become the owner of another provider meanwhile. The transaction must be rolled back."""


async def insert_claim(tx: WriteTx, claim: Claim) -> bool:
    """Return False when the user's claim of the provider waits already."""
    row = claim.model_dump(exclude={"provider_name", "provider_slug"}) | {"status": claim.status.value}
    return await tx.insert_ignore(ClaimRow, [row]) == 1


async def find_claim(tx: ReadTx, claim_id: UUID) -> Claim | None:
    return _claim(await tx.one_or_none(_claims().where(ClaimRow.id == claim_id)))


async def find_newest_claim(tx: ReadTx, *, provider_id: UUID, user_id: UUID) -> Claim | None:
    own = _claims().where(ClaimRow.provider_id == provider_id, ClaimRow.user_id == user_id)
    return _claim(await tx.one_or_none(own.order_by(ClaimRow.id.desc()).limit(1)))


async def list_waiting(tx: ReadTx, *, limit: int) -> list[Claim]:
    """Return the claims that wait for a decision, the longest wait first."""
    waiting = _claims().where(ClaimRow.status == ClaimStatus.WAITING.value)
    rows = await tx.all(waiting.order_by(ClaimRow.created_at, ClaimRow.id).limit(limit))
    return [Claim(**row._asdict()) for row in rows]


async def list_waiting_of(tx: ReadTx, provider_id: UUID) -> list[Claim]:
    waiting = (ClaimRow.provider_id == provider_id, ClaimRow.status == ClaimStatus.WAITING.value)
    return [Claim(**row._asdict()) for row in await tx.all(_claims().where(*waiting).order_by(ClaimRow.id))]


async def decide_claim(
    tx: WriteTx, claim_id: UUID, to: ClaimStatus, *, staff_id: UUID | None, refusal: str | None = None
) -> bool:
    """Return False when the claim is not waiting. `staff_id` is None where no one decided about this very claim."""
    waiting = (ClaimRow.id == claim_id, ClaimRow.status == ClaimStatus.WAITING.value)
    values = {"status": to.value, "refusal": refusal, "decided_by": staff_id, "decided_at": tx.now()}
    return await tx.execute(update(ClaimRow).where(*waiting).values(values)) == 1


def _claims() -> Any:
    return select(*_CLAIM).join(ProviderRow, ProviderRow.id == ClaimRow.provider_id)


def _claim(row: Any) -> Claim | None:
    return Claim(**row._asdict()) if row else None


async def set_owner(tx: WriteTx, provider_id: UUID, *, owner_id: UUID, email: str) -> bool:
    """Make a user the owner of a provider. Return False when it has an owner.

    Raises:
        OwnerTaken: The user owns another one.
    """
    unclaimed = (ProviderRow.id == provider_id, ProviderRow.owner_id.is_(None))
    try:
        if not await tx.execute(update(ProviderRow).where(*unclaimed).values(owner_id=owner_id)):
            return False
    except IntegrityError:
        raise OwnerTaken from None
    contact = {"provider_id": provider_id, "contact_email": email}
    await tx.upsert(ProviderPrivateRow, [contact], key=["provider_id"], update=["contact_email"])
    return True


async def find_contact_email(tx: ReadTx, provider_id: UUID) -> str | None:
    own = select(ProviderPrivateRow.contact_email).where(ProviderPrivateRow.provider_id == provider_id)
    email: str | None = await tx.scalar(own)
    return email


async def list_contact_emails(tx: ReadTx, provider_ids: Sequence[UUID]) -> dict[UUID, str]:
    row = ProviderPrivateRow
    found = select(row.provider_id, row.contact_email).where(
        among(row.provider_id, provider_ids), row.contact_email.is_not(None)
    )
    return dict(await tx.all(found))


async def list_uninvited_after(tx: ReadTx, after: UUID | None) -> list[UUID]:
    """Return the next unclaimed providers with an address and without an invitation that can be used."""
    invited = exists().where(InvitationRow.provider_id == ProviderRow.id, InvitationRow.expires_at > tx.now())
    statement = (
        select(ProviderRow.id)
        .join(ProviderPrivateRow, ProviderPrivateRow.provider_id == ProviderRow.id)
        .where(
            ProviderRow.owner_id.is_(None),
            ProviderRow.status == ProviderStatus.APPROVED,
            ProviderPrivateRow.contact_email.is_not(None),
            ~invited,
        )
        .order_by(ProviderRow.id)
        .limit(_INVITED_MAX)
    )
    return await tx.scalars(statement if after is None else statement.where(ProviderRow.id > after))


async def insert_invitation(
    tx: WriteTx, *, token_hash: bytes, provider_id: UUID, email: str, expires_at: datetime
) -> None:
    row = {"token_hash": token_hash, "provider_id": provider_id, "email": email, "expires_at": expires_at}
    await tx.insert_ignore(InvitationRow, [row])


async def find_invitation(tx: ReadTx, *, token_hash: bytes) -> Invitation | None:
    """Return an invitation that can still be used."""
    columns = (
        InvitationRow.provider_id,
        ProviderRow.business_name.label("provider_name"),
        ProviderRow.slug.label("provider_slug"),
        InvitationRow.email,
    )
    usable = (
        InvitationRow.token_hash == token_hash,
        InvitationRow.expires_at > tx.now(),
        ProviderRow.owner_id.is_(None),
    )
    found = select(*columns).join(ProviderRow, ProviderRow.id == InvitationRow.provider_id).where(*usable)
    row = await tx.one_or_none(found)
    return Invitation(**row._asdict()) if row else None


async def delete_invitation(tx: WriteTx, *, token_hash: bytes) -> bool:
    """Delete an invitation as it is used. Return False if it was used before or has expired."""
    usable = (InvitationRow.token_hash == token_hash, InvitationRow.expires_at > tx.now())
    return await tx.execute(delete(InvitationRow).where(*usable)) == 1


async def delete_invitations_of(tx: WriteTx, provider_id: UUID) -> None:
    await tx.execute(delete(InvitationRow).where(InvitationRow.provider_id == provider_id))


async def delete_expired_invitations_of(tx: WriteTx, provider_id: UUID) -> None:
    expired = (InvitationRow.provider_id == provider_id, InvitationRow.expires_at <= tx.now())
    await tx.execute(delete(InvitationRow).where(*expired))

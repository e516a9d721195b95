"""Access to a provider: its key in a path, its lock, its owner's view, and the announcement of its changes."""

from collections.abc import Collection
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import (
    SLUG_PATTERN,
    OwnProvider,
    ProfileMissing,
    ProviderNotFound,
    ProviderRef,
    ProvidersChanged,
    ProviderStatus,
    StaffOnly,
    VerticalUnknown,
    provider_tag,
)
from fairground.contracts.providers.service_rules import Grounds
from fairground.modules.providers.domain.profiles import ApprovalFacts, list_missing
from fairground.modules.providers.store import details, profiles
from fairground.modules.providers.store.details import OwnRecord
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical


def get_pack(verticals: Verticals, key: str) -> Vertical:
    pack = verticals.find(key)
    if pack is None:
        raise VerticalUnknown(f"Unknown vertical {key!r}.", field="vertical")
    return pack


def not_found(provider: UUID | str) -> ProviderNotFound:
    return ProviderNotFound(f"Provider {provider} does not exist.")


def read_key(id_or_slug: str) -> tuple[UUID | None, str]:
    """Return the id, or None and a slug; raise ProviderNotFound when the text is neither."""
    try:
        return UUID(id_or_slug), id_or_slug
    except ValueError:
        pass
    # A text that is no slug needs no lookup, and PostgreSQL refuses a NUL.
    if not SLUG_PATTERN.fullmatch(id_or_slug):
        raise not_found(repr(id_or_slug))
    return None, id_or_slug


async def lock_provider(tx: WriteTx, provider_id: UUID) -> ProviderRef:
    """Lock a provider, or raise ProviderNotFound."""
    provider = await profiles.lock_provider(tx, provider_id)
    if provider is None:
        raise not_found(provider_id)
    return provider


async def lock_owned(tx: WriteTx, provider_id: UUID, *, owner_id: UUID) -> ProviderRef:
    """Lock a provider, or raise ProviderNotFound when it is not the owner's, as if it did not exist."""
    provider = await profiles.lock_provider(tx, provider_id)
    if provider is None or provider.owner_id != owner_id:
        raise not_found(provider_id)
    return provider


async def get_ref_owned_by(tx: ReadTx, owner_id: UUID) -> ProviderRef:
    provider = await profiles.find_ref_owned_by(tx, owner_id)
    if provider is None:
        raise ProfileMissing("This account has no profile yet.")
    return provider


async def get_record(tx: ReadTx, provider_id: UUID) -> OwnRecord:
    record = await details.find_own(tx, provider_id)
    if record is None:
        raise not_found(provider_id)
    return record


async def require_staff(accounts: Accounts, staff_id: UUID) -> None:
    """Raise StaffOnly for an account that may not decide. Call it outside of transactions."""
    staff = await accounts.get_user(user_id=staff_id)
    if not staff.role.is_staff:
        raise StaffOnly("Only staff can review profiles.")


class OwnViews:
    """Makes of stored records the views for owners and staff."""

    def __init__(self, *, accounts: Accounts, verticals: Verticals) -> None:
        self._accounts = accounts
        self._verticals = verticals

    async def show(self, record: OwnRecord) -> OwnProvider:
        """Return the view of a record. Call it outside of transactions, because it calls accounts."""
        [view] = await self.show_all([record])
        return view

    async def show_all(self, records: Collection[OwnRecord]) -> list[OwnProvider]:
        owners = await self._accounts.find_users(user_ids={record.owner_id for record in records if record.owner_id})
        verified = {owner.id for owner in owners.values() if owner.email_verified}
        return [self.show_known(record, email_verified=record.owner_id in verified) for record in records]

    def show_known(self, record: OwnRecord, *, email_verified: bool) -> OwnProvider:
        """Return the view of a record whose owner the caller has read."""
        pack = get_pack(self._verticals, record.detail.vertical)
        return OwnProvider(
            **dict(record.detail),
            owner_id=record.owner_id,
            status=record.status,
            rejection_reason=record.rejection_reason,
            suspension_reason=record.suspension_reason,
            submitted_at=record.submitted_at,
            missing=list_missing(pack, facts_of(record, email_verified=email_verified)),
            contact_email=record.contact_email,
            contact_phone=record.contact_phone,
            address=record.address,
            meeting_details=record.meeting_details,
        )


def facts_of(record: OwnRecord, *, email_verified: bool) -> ApprovalFacts:
    detail = record.detail
    return ApprovalFacts(
        email_verified=email_verified,
        has_bio=bool(detail.bio),
        has_location=bool(detail.location),
        has_picture=detail.profile_picture_url is not None,
        has_service=any(not service.is_paused for service in detail.services),
        has_hours=record.has_hours,
    )


def grounds_of(record: OwnRecord) -> Grounds:
    return Grounds(
        categories=record.detail.service_categories,
        has_address=record.address is not None,
        has_meeting_details=record.meeting_details is not None,
        has_coordinates=record.detail.lat is not None,
    )


async def announce_all(tx: WriteTx, providers: Collection[ProviderRef]) -> None:
    """Invalidate the cache tags of the providers' pages and announce their next snapshots to read models.

    Before its approval a provider is not shown, and an approved one stays approved.
    """
    approved = [provider for provider in providers if provider.status is ProviderStatus.APPROVED]
    if approved:
        tx.invalidate(*(provider_tag(key) for provider in approved for key in (provider.id, provider.slug)))
        versions = await profiles.raise_versions(tx, [provider.id for provider in approved])
        await tx.emit(ProvidersChanged(versions=versions))


async def announce(tx: WriteTx, provider: ProviderRef) -> None:
    """Do the same for one provider."""
    await announce_all(tx, [provider])

"""What all parts of the service share."""

import re
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.catalog import (
    BookingAtOtherTime,
    OwnProvider,
    ProviderNotFound,
    ProviderRef,
    ProvidersChanged,
    ProviderSchedules,
    ProviderStatus,
    ProviderTimezoneSet,
    VerticalUnknown,
)
from fairground.contracts.catalog.tags import provider_tag
from fairground.kernel.clock import Clock
from fairground.modules.catalog.domain.approval import Facts, missing
from fairground.modules.catalog.store import profiles
from fairground.modules.catalog.store.profiles import OwnRecord
from fairground.platform.currency import CurrencySettings
from fairground.platform.db.database import Database, ReadTx, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical

_SLUG: Final = re.compile(r"[a-z0-9-]{1,80}")


class NoSchedules:
    """The schedules of a catalog without a module that books."""

    async def follow_timezone(self, change: ProviderTimezoneSet) -> None: ...

    async def list_bookings_at_other_times(self, *, provider_id: UUID, timezone: str) -> list[BookingAtOtherTime]:  # noqa: ARG002
        return []


class CatalogBase:
    def __init__(
        self,
        *,
        db: Database,
        accounts: Accounts,
        verticals: Verticals,
        clock: Clock,
        settings: CurrencySettings,
        schedules: Callable[[], ProviderSchedules] = NoSchedules,
    ) -> None:
        self._db = db
        self._accounts = accounts
        self._verticals = verticals
        self._clock = clock
        self._settings = settings
        self._schedules = schedules

    def _pack(self, vertical: str) -> Vertical:
        pack = self._verticals.find(vertical)
        if pack is None:
            raise VerticalUnknown(f"There is no vertical {vertical!r}.", field="vertical")
        return pack

    async def _lock_owned(self, tx: WriteTx, provider_id: UUID, *, owner_id: UUID) -> ProviderRef:
        """Lock a provider, or raise ProviderNotFound when it is not the owner's: others' profiles do not show."""
        provider = await profiles.lock_provider(tx, provider_id)
        if provider is None or provider.owner_id != owner_id:
            raise not_found(provider_id)
        return provider

    async def _own_ref(self, tx: ReadTx, owner_id: UUID) -> ProviderRef:
        provider = await profiles.find_ref_owned_by(tx, owner_id)
        if provider is None:
            raise ProviderNotFound(
                "This account has no profile.", hint="Create one: POST /api/v1/service-provider-profiles."
            )
        return provider

    async def _announce(self, tx: WriteTx, provider: ProviderRef) -> None:
        """Invalidate the provider's page and tell read models of a change in this transaction.

        Nothing shows a provider before its approval, and an approved one stays approved.
        """
        if provider.status is ProviderStatus.APPROVED:
            tx.touch(provider_tag(provider.id), provider_tag(provider.slug))
            version = await profiles.raise_version(tx, provider.id)
            await tx.emit(ProvidersChanged(versions={provider.id: version}))

    async def _own_record(self, tx: ReadTx, provider_id: UUID) -> OwnRecord:
        record = await profiles.find_own(tx, provider_id)
        if record is None:
            raise not_found(provider_id)
        return record

    async def _own_views(self, records: Collection[OwnRecord]) -> list[OwnProvider]:
        """Return the records as their owners and staff see them. Called outside any transaction: it asks accounts."""
        owners = await self._accounts.find_users(user_ids={record.owner_id for record in records if record.owner_id})
        verified = {owner.id for owner in owners.values() if owner.email_verified}
        return [self._own_view(record, email_verified=record.owner_id in verified) for record in records]

    def _own_view(self, record: OwnRecord, *, email_verified: bool) -> OwnProvider:
        pack = self._pack(record.detail.vertical)
        return OwnProvider(
            **dict(record.detail),
            owner_id=record.owner_id,
            status=record.status,
            rejection_reason=record.rejection_reason,
            submitted_at=record.submitted_at,
            missing=missing(pack, facts_of(record, email_verified=email_verified)),
            contact_email=record.contact_email,
            contact_phone=record.contact_phone,
        )


def facts_of(record: OwnRecord, *, email_verified: bool) -> Facts:
    detail = record.detail
    return Facts(
        email_verified=email_verified,
        has_bio=bool(detail.bio),
        has_location=bool(detail.location),
        has_picture=detail.profile_picture_url is not None,
        has_service=bool(detail.services),
        has_hours=record.has_hours,
    )


def not_found(provider: UUID | str) -> ProviderNotFound:
    return ProviderNotFound(f"There is no provider {provider}.")


def named(id_or_slug: str) -> tuple[UUID | None, str]:
    """Return the id, if it is one, and the slug that it is otherwise; raise ProviderNotFound when it is neither."""
    try:
        return UUID(id_or_slug), id_or_slug
    except ValueError:
        pass
    # What no slug looks like is not worth a question, and a NUL would upset PostgreSQL.
    if not _SLUG.fullmatch(id_or_slug):
        raise not_found(repr(id_or_slug))
    return None, id_or_slug

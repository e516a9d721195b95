"""Approval: draft → submitted → approved, or rejected with a reason and submitted again."""

from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import (
    OwnProvider,
    ProviderApproved,
    ProviderRef,
    ProviderRejected,
    ProviderStatus,
    ProviderSubmitted,
    StatusConflict,
)
from fairground.modules.providers.domain.profiles import advance, check_reason, require_complete
from fairground.modules.providers.service.access import (
    OwnViews,
    announce,
    facts_of,
    get_pack,
    get_record,
    lock_owned,
    lock_provider,
    require_staff,
)
from fairground.modules.providers.store import profiles
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals


class Approval:
    def __init__(self, *, db: Database, accounts: Accounts, verticals: Verticals, views: OwnViews) -> None:
        self._db = db
        self._accounts = accounts
        self._verticals = verticals
        self._views = views

    async def submit_provider(self, *, owner_id: UUID, provider_id: UUID) -> OwnProvider:
        # This call precedes the transaction, because a slow module must not hold our locks.
        owner = await self._accounts.get_user(user_id=owner_id)
        async with self._db.write() as tx:
            provider = await lock_owned(tx, provider_id, owner_id=owner_id)
            to = advance(provider.status, ProviderStatus.SUBMITTED)
            record = await get_record(tx, provider_id)
            facts = facts_of(record, email_verified=owner.email_verified)
            require_complete(get_pack(self._verticals, provider.vertical), facts)
            await profiles.move_status(tx, provider, to, actor_id=owner_id)
            await profiles.set_rejection_reason(tx, provider_id, None)
            name = provider.business_name
            await tx.emit(ProviderSubmitted(provider_id=provider_id, owner_id=owner_id, business_name=name))
            record = await get_record(tx, provider_id)
        return self._views.show_known(record, email_verified=owner.email_verified)

    async def approve_provider(self, *, staff_id: UUID, provider_id: UUID) -> OwnProvider:
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider, owner_id = await self._lock_for_decision(tx, provider_id, ProviderStatus.APPROVED)
            await profiles.move_status(tx, provider, ProviderStatus.APPROVED, actor_id=staff_id)
            await _record(tx, "approve", provider, ProviderStatus.APPROVED, staff_id=staff_id)
            await announce(tx, provider.model_copy(update={"status": ProviderStatus.APPROVED}))
            name, slug = provider.business_name, provider.slug
            await tx.emit(ProviderApproved(provider_id=provider_id, owner_id=owner_id, business_name=name, slug=slug))
            record = await get_record(tx, provider_id)
        return await self._views.show(record)

    async def reject_provider(self, *, staff_id: UUID, provider_id: UUID, reason: str) -> OwnProvider:
        reason = check_reason(reason)
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider, owner_id = await self._lock_for_decision(tx, provider_id, ProviderStatus.REJECTED)
            await profiles.move_status(tx, provider, ProviderStatus.REJECTED, actor_id=staff_id, reason=reason)
            await profiles.set_rejection_reason(tx, provider_id, reason)
            await _record(tx, "reject", provider, ProviderStatus.REJECTED, staff_id=staff_id, reason=reason)
            name = provider.business_name
            await tx.emit(
                ProviderRejected(provider_id=provider_id, owner_id=owner_id, business_name=name, reason=reason)
            )
            record = await get_record(tx, provider_id)
        return await self._views.show(record)

    async def _lock_for_decision(self, tx: WriteTx, provider_id: UUID, to: ProviderStatus) -> tuple[ProviderRef, UUID]:
        """Lock a provider that may become `to`, and return it with its owner."""
        provider = await lock_provider(tx, provider_id)
        advance(provider.status, to)
        if provider.owner_id is None:
            raise StatusConflict("This profile is unclaimed, so there is nothing to review.")
        return provider, provider.owner_id


async def _record(
    tx: WriteTx, action: str, provider: ProviderRef, to: ProviderStatus, *, staff_id: UUID, reason: str | None = None
) -> None:
    await record_action(
        tx,
        action=f"providers.{action}",
        actor=staff_id,
        subject=AuditSubject("provider", provider.id),
        changes={"status": (provider.status, to)},
        reason=reason,
    )

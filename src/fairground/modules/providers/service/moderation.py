"""Moderation: staff find providers in any state, suspend and restore them, and hide single pictures."""

from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import ProviderRef, ProviderStatus
from fairground.contracts.providers.staff import (
    DecidedProvider,
    PictureVisibilityConflict,
    ProviderPictureNotFound,
    ProviderRestored,
    ProviderSuspended,
    StaffProvider,
    StaffProviderPage,
    SuspensionConflict,
)
from fairground.kernel.inputs import CursorInvalid
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.profiles import check_reason, search_words
from fairground.modules.providers.service.access import OwnViews, announce, get_record, lock_provider, require_staff
from fairground.modules.providers.service.pictures import FollowPicture, announce_pictures
from fairground.modules.providers.store import pictures
from fairground.modules.providers.store import staff as store
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, WriteTx


class Moderation:
    """Implements `StaffProviders`."""

    def __init__(self, *, db: Database, accounts: Accounts, views: OwnViews, clock: Clock) -> None:
        self._db = db
        self._accounts = accounts
        self._views = views
        self._clock = clock

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
        await require_staff(self._accounts, staff_id)
        before = None if cursor is None else _read_cursor(cursor)
        provider_id = _find_id(words)
        beginnings = [] if provider_id else search_words(words)
        if words.strip() and not beginnings and provider_id is None:
            return StaffProviderPage(data=[], next_cursor=None)
        async with self._db.read() as tx:
            # One more than is shown tells whether anything follows.
            found = await store.search(
                tx,
                words=beginnings,
                provider_id=provider_id,
                status=status,
                vertical=vertical,
                before=before,
                limit=limit + 1,
            )
        shown = found[:limit]
        return StaffProviderPage(data=shown, next_cursor=str(shown[-1].id) if len(found) > limit else None)

    async def get_provider_for_staff(self, *, staff_id: UUID, provider_id: UUID) -> StaffProvider:
        await require_staff(self._accounts, staff_id)
        async with self._db.read() as tx:
            record = await get_record(tx, provider_id)
            portrait = await pictures.find_portrait(tx, provider_id)
            portrait_id = None if portrait is None else portrait.chosen_id
            hidden_reason = None if portrait_id is None else await pictures.find_hidden_reason(tx, portrait_id)
            gallery = await pictures.list_own_gallery(tx, provider_id)
            is_suspended = await store.is_suspended(tx, provider_id)
            history = await store.list_history(tx, provider_id)
        return StaffProvider(
            provider=await self._views.show(record),
            is_suspended=is_suspended,
            gallery=gallery,
            portrait_id=portrait_id,
            portrait_hidden_reason=hidden_reason,
            history=history,
        )

    async def list_decided(self, *, staff_id: UUID, status: ProviderStatus, limit: int) -> list[DecidedProvider]:
        await require_staff(self._accounts, staff_id)
        async with self._db.read() as tx:
            return await store.list_decided(tx, status, limit=limit)

    async def suspend_provider(self, *, staff_id: UUID, provider_id: UUID, reason: str) -> StaffProvider:
        reason = check_reason(reason)
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            suspended = await store.set_suspension(tx, provider_id, reason=reason)
            if suspended is None:
                raise SuspensionConflict("This provider is suspended already.")
            own_status, version = suspended
            name, owner_id = provider.business_name, provider.owner_id
            await tx.emit(
                ProviderSuspended(
                    provider_id=provider_id, owner_id=owner_id, business_name=name, reason=reason, version=version
                )
            )
            await _announce_suspension(tx, provider, own_status, staff_id=staff_id, reason=reason)
        return await self.get_provider_for_staff(staff_id=staff_id, provider_id=provider_id)

    async def restore_provider(self, *, staff_id: UUID, provider_id: UUID) -> StaffProvider:
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            restored = await store.set_suspension(tx, provider_id, reason=None)
            if restored is None:
                raise SuspensionConflict("This provider is not suspended by staff.")
            own_status, version = restored
            name, owner_id = provider.business_name, provider.owner_id
            await tx.emit(
                ProviderRestored(provider_id=provider_id, owner_id=owner_id, business_name=name, version=version)
            )
            await _announce_suspension(tx, provider, own_status, staff_id=staff_id, reason=None)
        return await self.get_provider_for_staff(staff_id=staff_id, provider_id=provider_id)

    async def hide_picture(self, *, staff_id: UUID, provider_id: UUID, picture_id: UUID, reason: str) -> StaffProvider:
        reason = check_reason(reason)
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            if await pictures.find_provider_of_picture(tx, picture_id) != provider_id:
                raise ProviderPictureNotFound("This provider does not show that picture.")
            if not await pictures.hide_picture(tx, provider_id, picture_id, reason=reason):
                raise PictureVisibilityConflict("This picture is hidden already.")
            portrait = await pictures.find_portrait(tx, provider_id)
            if portrait is not None and portrait.shown_id == picture_id:
                await pictures.hide_portrait(tx, provider_id)
            await _record_picture(tx, "hide_picture", provider, picture_id, staff_id=staff_id, reason=reason)
            await announce_pictures(tx, provider, clock=self._clock)
        return await self.get_provider_for_staff(staff_id=staff_id, provider_id=provider_id)

    async def show_picture(self, *, staff_id: UUID, provider_id: UUID, picture_id: UUID) -> StaffProvider:
        await require_staff(self._accounts, staff_id)
        async with self._db.write() as tx:
            provider = await lock_provider(tx, provider_id)
            if not await pictures.show_picture(tx, provider_id, picture_id):
                raise PictureVisibilityConflict("This picture is not hidden.")
            # A portrait is shown again from media's answer. Pictures of an unclaimed provider belong to itself.
            owner_id = provider.owner_id or provider.id
            await tx.enqueue(FollowPicture(owner_id=owner_id, picture_id=picture_id))
            await _record_picture(tx, "show_picture", provider, picture_id, staff_id=staff_id, reason=None)
            await announce_pictures(tx, provider, clock=self._clock)
        return await self.get_provider_for_staff(staff_id=staff_id, provider_id=provider_id)


async def _announce_suspension(
    tx: WriteTx, provider: ProviderRef, own_status: ProviderStatus, *, staff_id: UUID, reason: str | None
) -> None:
    states = (False, True) if reason is not None else (True, False)
    await record_action(
        tx,
        action="providers.restore" if reason is None else "providers.suspend",
        actor=staff_id,
        subject=AuditSubject("provider", provider.id),
        changes={"is_suspended": states},
        reason=reason,
    )
    # By its own status: a profile that was never approved was never shown.
    await announce(tx, provider.model_copy(update={"status": own_status}))


async def _record_picture(
    tx: WriteTx, action: str, provider: ProviderRef, picture_id: UUID, *, staff_id: UUID, reason: str | None
) -> None:
    await record_action(
        tx,
        action=f"providers.{action}",
        actor=staff_id,
        subject=AuditSubject("provider", provider.id),
        changes={"is_hidden": (reason is None, reason is not None)},
        reason=reason,
        details={"picture_id": str(picture_id)},
    )


def _find_id(words: str) -> UUID | None:
    try:
        return UUID(words.strip())
    except ValueError:
        return None


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise CursorInvalid(f"{cursor[:40]!r} is not a cursor of this list.", field="cursor") from None

"""What staff do with accounts: search, suspend and restore them, end their sessions, and give roles."""

from datetime import UTC
from typing import Any, Final
from uuid import UUID

from fairground.contracts.accounts import (
    SEARCH_MAX_LENGTH,
    SUSPENSION_REASON_MAX_LENGTH,
    AccountRestored,
    AccountStatus,
    AccountStatusConflict,
    AccountSuspended,
    NotPermitted,
    Role,
    StaffAccount,
    StaffAccountDetail,
    StaffAccountPage,
    SuspensionInvalid,
    User,
    UserNotFound,
)
from fairground.contracts.accounts.staff import AccountFigures
from fairground.kernel.inputs import CursorInvalid
from fairground.kernel.text import refused_as, require_text
from fairground.modules.accounts import domain, store
from fairground.modules.accounts.store import directory, own_accounts
from fairground.platform.db.common.audit import AuditSubject, record_action
from fairground.platform.db.database import Database, ReadTx, WriteTx

COUNTED_AT_MOST: Final = 10_000


class StaffAccountService:
    """Implements `StaffAccounts`."""

    def __init__(self, *, db: Database) -> None:
        self._db = db

    async def search_users(
        self,
        *,
        staff_id: UUID | None,
        words: str = "",
        role: Role | None = None,
        status: AccountStatus | None = None,
        cursor: str | None = None,
        limit: int,
    ) -> StaffAccountPage:
        before = None if cursor is None else _read_cursor(cursor)
        beginnings = domain.query_words(words[:SEARCH_MAX_LENGTH])
        async with self._db.read() as tx:
            await require_staff(tx, staff_id)
            if words.strip() and not beginnings:
                return StaffAccountPage(data=[], next_cursor=None)
            # One more than is shown tells whether anything follows.
            found = await directory.search(
                tx, words=beginnings, role=role, status=status, before=before, limit=limit + 1
            )
        shown = found[:limit]
        return StaffAccountPage(data=shown, next_cursor=str(shown[-1].id) if len(found) > limit else None)

    async def get_account(self, *, staff_id: UUID | None, user_id: UUID) -> StaffAccountDetail:
        async with self._db.read() as tx:
            await require_staff(tx, staff_id)
            account = await _get_account(tx, user_id)
            sessions = await store.list_sessions(tx, user_id=user_id)
        return StaffAccountDetail(**dict(account), sessions=sessions)

    async def suspend_user(self, *, staff_id: UUID | None, user_id: UUID, reason: str) -> StaffAccount:
        with refused_as(SuspensionInvalid, "The reason", field="reason"):
            reason = require_text(reason, most=SUSPENSION_REASON_MAX_LENGTH)
        async with self._db.write() as tx:
            user = await _lock_for(tx, user_id, staff_id=staff_id)
            _require_status(user, AccountStatus.ACTIVE)
            await own_accounts.change_user(tx, user_id, {"suspended_at": tx.now(), "suspension_reason": reason})
            version = await own_accounts.set_status(tx, user_id, AccountStatus.SUSPENDED)
            await store.delete_sessions_of(tx, user_id)
            await tx.emit(AccountSuspended(user_id=user_id, version=version))
            statuses = (AccountStatus.ACTIVE, AccountStatus.SUSPENDED)
            await _record(tx, "suspend", staff_id, user_id, changes={"status": statuses}, reason=reason)
            return await _get_account(tx, user_id)

    async def restore_user(self, *, staff_id: UUID | None, user_id: UUID) -> StaffAccount:
        async with self._db.write() as tx:
            user = await _lock_for(tx, user_id, staff_id=staff_id)
            _require_status(user, AccountStatus.SUSPENDED)
            await own_accounts.change_user(tx, user_id, {"suspended_at": None, "suspension_reason": None})
            version = await own_accounts.set_status(tx, user_id, AccountStatus.ACTIVE)
            await tx.emit(AccountRestored(user_id=user_id, version=version))
            statuses = (AccountStatus.SUSPENDED, AccountStatus.ACTIVE)
            await _record(tx, "restore", staff_id, user_id, changes={"status": statuses})
            return await _get_account(tx, user_id)

    async def end_sessions(self, *, staff_id: UUID | None, user_id: UUID) -> int:
        async with self._db.write() as tx:
            await _lock_for(tx, user_id, staff_id=staff_id)
            count = await store.delete_sessions_of(tx, user_id)
            await _record(tx, "end_sessions", staff_id, user_id, details={"sessions": count})
        return count

    async def set_role(self, *, staff_id: UUID | None, user_id: UUID, role: Role) -> StaffAccount:
        async with self._db.write() as tx:
            user = await _lock_for(tx, user_id, staff_id=staff_id, only_admins=True)
            if user.status is AccountStatus.CLOSED:
                raise AccountStatusConflict("This account is closed.")
            if user.role is not role:
                await own_accounts.change_user(tx, user_id, {"role": role.value})
                await store.delete_sessions_of(tx, user_id)
                await _record(tx, "set_role", staff_id, user_id, changes={"role": (user.role, role)})
            return await _get_account(tx, user_id)

    async def read_figures(self, *, staff_id: UUID | None) -> AccountFigures:
        async with self._db.read() as tx:
            await require_staff(tx, staff_id)
            now = await tx.current_time()
            today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            return AccountFigures(created_today=await directory.count_created(tx, since=today, most=COUNTED_AT_MOST))


async def require_staff(tx: ReadTx, staff_id: UUID | None) -> Role:
    """Return the role of the member of staff who acts; raise NotPermitted for another account."""
    if staff_id is None:
        return Role.ADMIN
    staff = await store.find_user(tx, staff_id)
    if staff is None or not staff.role.is_staff or staff.status is not AccountStatus.ACTIVE:
        raise NotPermitted("This is for staff only.")
    return staff.role


async def _lock_for(tx: WriteTx, user_id: UUID, *, staff_id: UUID | None, only_admins: bool = False) -> User:
    """Lock a user whom the member of staff may change, until the transaction ends.

    Staff must not act on staff, or one could shut out the admins; nor on themselves, who could not undo it.
    """
    role = await require_staff(tx, staff_id)
    locked = await store.lock_credentials(tx, user_id)
    if locked is None:
        raise UserNotFound(f"User {user_id} does not exist.")
    if user_id == staff_id:
        raise NotPermitted("This is your own account.")
    if role is not Role.ADMIN and (only_admins or locked.user.role.is_staff):
        raise NotPermitted("Only admins can do this.")
    return locked.user


def _require_status(user: User, status: AccountStatus) -> None:
    if user.status is not status:
        raise AccountStatusConflict(f"This account is {user.status}, not {status}.")


async def _get_account(tx: ReadTx, user_id: UUID) -> StaffAccount:
    account = await directory.find_account(tx, user_id)
    if account is None:
        raise UserNotFound(f"User {user_id} does not exist.")
    return account


async def _record(tx: WriteTx, action: str, staff_id: UUID | None, user_id: UUID, **facts: Any) -> None:
    await record_action(tx, action=f"accounts.{action}", actor=staff_id, subject=AuditSubject("user", user_id), **facts)


def _read_cursor(cursor: str) -> UUID:
    try:
        return UUID(cursor)
    except ValueError:
        raise CursorInvalid(f"{cursor[:40]!r} is not a cursor of this list.", field="cursor") from None

"""The directory of accounts for staff: found by beginnings of words, by role and by status."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, exists, literal, select

from fairground.contracts.accounts import AccountStatus, Role, StaffAccount
from fairground.modules.accounts.store import USER, to_user
from fairground.modules.accounts.tables import UserRow, UserWordRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import after_prefix

_ACCOUNT: Final = (*USER, UserRow.phone, UserRow.suspended_at, UserRow.suspension_reason, UserRow.last_signed_in_at)


async def find_account(tx: ReadTx, user_id: UUID) -> StaffAccount | None:
    row = await tx.one_or_none(select(*_ACCOUNT).where(UserRow.id == user_id))
    return None if row is None else _to_account(row)


async def search(
    tx: ReadTx,
    *,
    words: Sequence[str],
    role: Role | None,
    status: AccountStatus | None,
    before: UUID | None,
    limit: int,
) -> list[StaffAccount]:
    """Return the newest accounts first.

    Args:
        words: Beginnings; the first one narrows the index and is best the longest.
        before: The last account of the page before this one.
    """
    statement = _found_by(words) if words else select(*_ACCOUNT)
    if role is not None:
        statement = statement.where(UserRow.role == role.value)
    if status is not None:
        statement = statement.where(UserRow.status == status.value)
    if before is not None:
        statement = statement.where(UserRow.id < before)
    await tx.prefer_indexes()
    return [_to_account(row) for row in await tx.all(statement.order_by(UserRow.id.desc()).limit(limit))]


def _found_by(words: Sequence[str]) -> Select[*tuple[Any, ...]]:
    first, *others = words
    # Distinct as a table of its own, so that neither database begins with the users, newest first, and reads them all.
    found = select(UserWordRow.user_id).where(*_begins_with(first)).distinct().subquery("found")
    statement = select(*_ACCOUNT).select_from(found).join(UserRow, UserRow.id == found.c.user_id)
    for word in others:
        statement = statement.where(
            exists(select(1).where(UserWordRow.user_id == UserRow.id, *_begins_with(word)).correlate(UserRow))
        )
    return statement


def _begins_with(beginning: str) -> tuple[Any, Any]:
    prefix = literal(beginning, UserWordRow.word.type)
    return UserWordRow.word >= prefix, UserWordRow.word < after_prefix(prefix)


def _to_account(row: Any) -> StaffAccount:
    return StaffAccount(
        **dict(to_user(row)),
        phone=row.phone,
        suspended_at=row.suspended_at,
        suspension_reason=row.suspension_reason,
        last_signed_in_at=row.last_signed_in_at,
    )

"""The directory of accounts for staff: found by beginnings of words, by role and by status."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, exists, func, literal, select

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
    await tx.prefer_indexes()
    filters = {UserRow.role: role, UserRow.status: status}
    narrowed = [column == value.value for column, value in filters.items() if value is not None]
    if words:
        ids = _ids_found_by(words, narrowed, before=before).limit(limit).subquery("page")
        statement = select(*_ACCOUNT).select_from(ids).join(UserRow, UserRow.id == ids.c.user_id)
    else:
        earlier = [] if before is None else [UserRow.id < before]
        statement = select(*_ACCOUNT).where(*narrowed, *earlier).limit(limit)
    return [_to_account(row) for row in await tx.all(statement.order_by(UserRow.id.desc()))]


async def count_created(tx: ReadTx, *, since: datetime, most: int) -> int:
    """Return how many accounts were created since an instant, or `most` where there are more."""
    created = select(UserRow.created_at).where(UserRow.created_at >= since).limit(most).subquery()
    count: int = await tx.scalar(select(func.count()).select_from(created))
    return count


def _ids_found_by(words: Sequence[str], narrowed: Sequence[Any], *, before: UUID | None) -> Select[Any]:
    """Select the ids alone, newest first: a short beginning is that of many users, whose rows need not be sorted."""
    first, *others = words
    # Distinct as a table of its own, so that neither database begins with the users, newest first, and reads them all.
    found = select(UserWordRow.user_id).where(*_begins_with(first)).distinct().subquery("found")
    ids: Select[Any] = select(found.c.user_id).order_by(found.c.user_id.desc())
    if narrowed:
        ids = ids.join(UserRow, UserRow.id == found.c.user_id).where(*narrowed)
    if before is not None:
        ids = ids.where(found.c.user_id < before)
    for word in others:
        of_same_user = select(1).where(UserWordRow.user_id == found.c.user_id, *_begins_with(word))
        ids = ids.where(exists(of_same_user.correlate(found)))
    return ids


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

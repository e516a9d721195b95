"""The directory of accounts for staff: found by beginnings of words, by role and by status."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select

from fairground.contracts.accounts import AccountStatus, Role, StaffAccount
from fairground.modules.accounts.store import USER, to_user
from fairground.modules.accounts.tables import UserRow, UserWordRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.word_search import select_ids

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
        found = select_ids(
            UserWordRow.word, UserWordRow.user_id, words, id_column=UserRow.id, filters=narrowed, before=before
        )
        ids = found.limit(limit).subquery("page")
        statement = select(*_ACCOUNT).select_from(ids).join(UserRow, UserRow.id == ids.c.id)
    else:
        earlier = [] if before is None else [UserRow.id < before]
        statement = select(*_ACCOUNT).where(*narrowed, *earlier).limit(limit)
    return [_to_account(row) for row in await tx.all(statement.order_by(UserRow.id.desc()))]


async def count_created(tx: ReadTx, *, since: datetime, most: int) -> int:
    """Return how many accounts were created since an instant, or `most` where there are more."""
    created = select(UserRow.created_at).where(UserRow.created_at >= since).limit(most).subquery()
    count: int = await tx.scalar(select(func.count()).select_from(created))
    return count


def _to_account(row: Any) -> StaffAccount:
    return StaffAccount(
        **dict(to_user(row)),
        phone=row.phone,
        suspended_at=row.suspended_at,
        suspension_reason=row.suspension_reason,
        last_signed_in_at=row.last_signed_in_at,
    )

"""Providers as staff find and moderate them: by words, status and vertical, with the steps of their approvals."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, literal_column, select, union, update

from fairground.contracts.providers import ProviderStatus
from fairground.contracts.providers.staff import ApprovalStep, DecidedProvider, StaffProviderCard
from fairground.kernel.ids import time_of
from fairground.modules.providers.tables import (
    ApprovalRow,
    ProviderPrivateRow,
    ProviderRow,
    ProviderWordRow,
    is_visible,
    shown_status,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.word_search import select_ids

HISTORY_MAX: Final = 100

_CARD: Final = (
    ProviderRow.id,
    ProviderRow.slug,
    ProviderRow.business_name,
    ProviderRow.vertical,
    ProviderRow.location,
    shown_status(),
    ProviderRow.is_suspended,
    ProviderRow.owner_id.is_not(None).label("is_claimed"),
    ProviderRow.created_at,
)


async def search(
    tx: ReadTx,
    *,
    words: Sequence[str],
    provider_id: UUID | None,
    status: ProviderStatus | None,
    vertical: str | None,
    before: UUID | None,
    limit: int,
) -> list[StaffProviderCard]:
    """Return the newest providers first.

    Args:
        words: Beginnings; the first one narrows the index and is best the longest.
        before: The last provider of the page before this one.
    """
    await tx.prefer_indexes()
    filters = [] if status is None else [_has_status(status)]
    if vertical is not None:
        filters.append(ProviderRow.vertical == vertical)
    if provider_id is not None:
        filters.append(ProviderRow.id == provider_id)
    if words:
        found = select_ids(
            ProviderWordRow.word,
            ProviderWordRow.provider_id,
            words,
            id_column=ProviderRow.id,
            filters=filters,
            before=before,
        )
        ids = found.limit(limit).subquery("page")
        statement = select(*_CARD).select_from(ids).join(ProviderRow, ProviderRow.id == ids.c.id)
    else:
        earlier = [] if before is None else [ProviderRow.id < before]
        statement = select(*_CARD).where(*filters, *earlier).limit(limit)
    rows = await tx.all(statement.order_by(ProviderRow.id.desc()))
    return [StaffProviderCard(**row._asdict()) for row in rows]


def _has_status(status: ProviderStatus) -> ColumnElement[bool]:
    if status is ProviderStatus.SUSPENDED:
        # Spelled as the conditions of the partial indexes, and apart, or SQLite reads all providers instead.
        by_staff = select(ProviderRow.id).where(ProviderRow.is_suspended == literal_column("true"))
        with_owner = select(ProviderRow.id).where(ProviderRow.is_owner_active == literal_column("false"))
        return ProviderRow.id.in_(union(by_staff, with_owner))
    return and_(ProviderRow.status == status, is_visible())


async def list_history(tx: ReadTx, provider_id: UUID) -> list[ApprovalStep]:
    """Return the latest steps, the last one first."""
    own = select(ApprovalRow).where(ApprovalRow.provider_id == provider_id)
    rows = await tx.all(own.order_by(ApprovalRow.id.desc()).limit(HISTORY_MAX))
    return [
        ApprovalStep(
            at=time_of(row.id),
            actor_id=row.actor_id,
            from_status=ProviderStatus(row.from_status),
            to_status=ProviderStatus(row.to_status),
            reason=row.reason,
        )
        for row in rows
    ]


async def list_decided(tx: ReadTx, status: ProviderStatus, *, limit: int) -> list[DecidedProvider]:
    """Return the latest decisions for a status, the last one first."""
    decided = (
        select(
            ApprovalRow.id.label("step_id"),
            ApprovalRow.reason,
            ProviderRow.id,
            ProviderRow.business_name,
            ProviderRow.vertical,
            ProviderRow.location,
        )
        .join(ProviderRow, ProviderRow.id == ApprovalRow.provider_id)
        .where(ApprovalRow.to_status == status)
        .order_by(ApprovalRow.id.desc())
        .limit(limit)
    )
    return [
        DecidedProvider(
            id=row.id,
            business_name=row.business_name,
            vertical=row.vertical,
            location=row.location,
            decided_at=time_of(row.step_id),
            reason=row.reason,
        )
        for row in await tx.all(decided)
    ]


async def is_suspended(tx: ReadTx, provider_id: UUID) -> bool:
    return bool(await tx.scalar(select(ProviderRow.is_suspended).where(ProviderRow.id == provider_id)))


async def set_suspension(tx: WriteTx, provider_id: UUID, *, reason: str | None) -> tuple[ProviderStatus, int] | None:
    """Suspend a locked provider for a reason, or restore it without one; return its own status and the new version.

    Returns None when it is suspended, or not suspended, already.
    """
    suspends = reason is not None
    changed = (
        update(ProviderRow)
        .where(ProviderRow.id == provider_id, ProviderRow.is_suspended != suspends)
        .values(is_suspended=suspends, suspension_version=ProviderRow.suspension_version + 1)
        .returning(ProviderRow.status, ProviderRow.suspension_version)
    )
    row = await tx.one_or_none(changed)
    if row is None:
        return None
    private = {"provider_id": provider_id, "suspension_reason": reason}
    await tx.upsert(ProviderPrivateRow, [private], key=["provider_id"], update=["suspension_reason"])
    return ProviderStatus(row.status), row.suspension_version

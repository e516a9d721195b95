"""Profiles: one provider at a time, as the public, its owner and other modules see it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, delete, insert, select, update

from fairground.contracts.providers import ProviderDetail, ProviderRef, ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.slugs import slug_base
from fairground.modules.providers.store.cards import CARD_COLUMNS, card_fields, list_categories
from fairground.modules.providers.store.services import list_services
from fairground.modules.providers.store.slugs import choose_slugs
from fairground.modules.providers.tables import ApprovalRow, ProviderCategoryRow, ProviderPrivateRow, ProviderRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_DETAIL_COLUMNS: Final = (
    *CARD_COLUMNS,
    ProviderRow.vertical,
    ProviderRow.bio,
    ProviderRow.lat,
    ProviderRow.lng,
    ProviderRow.timezone,
    ProviderRow.owner_id,
)
_REF_COLUMNS: Final = [getattr(ProviderRow, name) for name in ProviderRef.model_fields]

NOT_YET_KNOWN: Final[Mapping[str, Any]] = {
    "book_count": 0,
    "rating_sum": 0,
    "rating_count": 0,
    "rating_avg": 0.0,
    "has_hours": False,
    "hours_version": 0,
}
"""The figures of a provider before the first event about it."""


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """A provider with what only its owner and staff may see."""

    detail: ProviderDetail
    owner_id: UUID | None
    status: ProviderStatus
    rejection_reason: str | None
    submitted_at: datetime | None
    contact_email: str | None
    contact_phone: str | None
    has_hours: bool


async def find_approved(tx: ReadTx, *, provider_id: UUID | None, slug: str) -> ProviderDetail | None:
    """Return an approved provider by its id, or without one by its slug."""
    rows = await tx.all(select(*_DETAIL_COLUMNS).where(*_approved(provider_id, slug)))
    details = await _details(tx, rows)
    return details[0] if details else None


async def find_approved_id(tx: ReadTx, *, provider_id: UUID | None, slug: str) -> UUID | None:
    """Return the id of an approved provider that is named by it, or without one by its slug."""
    found: UUID | None = await tx.scalar(select(ProviderRow.id).where(*_approved(provider_id, slug)))
    return found


def _approved(provider_id: UUID | None, slug: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    named = ProviderRow.slug == slug if provider_id is None else ProviderRow.id == provider_id
    return named, ProviderRow.status == ProviderStatus.APPROVED


async def find_own(tx: ReadTx, provider_id: UUID) -> OwnRecord | None:
    records = await _own_records(tx, _own().where(ProviderRow.id == provider_id))
    return records[0] if records else None


async def list_submitted(tx: ReadTx, *, limit: int) -> list[OwnRecord]:
    """Return those who wait for a decision, the one that waits longest first."""
    waiting = _own().where(ProviderRow.status == ProviderStatus.SUBMITTED).order_by(ProviderRow.submitted_at)
    return await _own_records(tx, waiting.limit(limit))


def _own() -> Select[*tuple[Any, ...]]:
    own_columns = (
        ProviderRow.status,
        ProviderRow.submitted_at,
        ProviderRow.has_hours,
        ProviderPrivateRow.rejection_reason,
        ProviderPrivateRow.contact_email,
        ProviderPrivateRow.contact_phone,
    )
    return select(*_DETAIL_COLUMNS, *own_columns).join(
        ProviderPrivateRow, ProviderPrivateRow.provider_id == ProviderRow.id, isouter=True
    )


async def _own_records(tx: ReadTx, statement: Select[*tuple[Any, ...]]) -> list[OwnRecord]:
    rows = await tx.all(statement)
    details = await _details(tx, rows)
    return [
        OwnRecord(
            detail=detail,
            owner_id=row.owner_id,
            status=ProviderStatus(row.status),
            rejection_reason=row.rejection_reason,
            submitted_at=row.submitted_at,
            contact_email=row.contact_email,
            contact_phone=row.contact_phone,
            has_hours=row.has_hours,
        )
        for row, detail in zip(rows, details, strict=True)
    ]


async def _details(tx: ReadTx, rows: Sequence[Any]) -> list[ProviderDetail]:
    ids = [row.id for row in rows]
    categories = await list_categories(tx, ids)
    services = await list_services(tx, ids)
    return [
        ProviderDetail(
            **card_fields(row, categories[row.id]),
            vertical=row.vertical,
            bio=row.bio,
            lat=row.lat,
            lng=row.lng,
            timezone=row.timezone,
            services=services[row.id],
            is_claimed=row.owner_id is not None,
        )
        for row in rows
    ]


async def find_ref(tx: ReadTx, provider_id: UUID) -> ProviderRef | None:
    return await _find_ref(tx, ProviderRow.id == provider_id)


async def find_ref_owned_by(tx: ReadTx, owner_id: UUID) -> ProviderRef | None:
    return await _find_ref(tx, ProviderRow.owner_id == owner_id)


async def _find_ref(tx: ReadTx, condition: ColumnElement[bool]) -> ProviderRef | None:
    row = await tx.one_or_none(select(*_REF_COLUMNS).where(condition))
    return ProviderRef(**row._asdict()) if row else None


async def list_refs(tx: ReadTx, provider_ids: Collection[UUID]) -> list[ProviderRef]:
    rows = await tx.all(select(*_REF_COLUMNS).where(among(ProviderRow.id, provider_ids)))
    return [ProviderRef(**row._asdict()) for row in rows]


async def lock_provider(tx: WriteTx, provider_id: UUID) -> ProviderRef | None:
    """Lock a provider until this transaction ends, and return it."""
    rows = await tx.lock(select(*_REF_COLUMNS).where(ProviderRow.id == provider_id))
    return ProviderRef(**rows[0]._asdict()) if rows else None


async def insert_draft(tx: WriteTx, values: Mapping[str, Any], *, contact: Mapping[str, str | None]) -> bool:
    """Insert a provider under the first free slug. Return False when its owner has one already.

    The loop ends: each turn another transaction has committed the slug that we tried, so the next choice sees it.
    """
    base = slug_base(values["business_name"]) or str(values["id"])
    while await find_ref_owned_by(tx, values["owner_id"]) is None:
        [slug] = await choose_slugs(tx, [base])
        if await tx.insert_ignore(ProviderRow, [{**NOT_YET_KNOWN, **values, "slug": slug}]):
            await tx.execute(insert(ProviderPrivateRow).values(provider_id=values["id"], **contact))
            return True
    return False


async def change_profile(tx: WriteTx, provider_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider_id).values(**values))


async def raise_version(tx: WriteTx, provider_id: UUID) -> int:
    """Count a change of a locked provider; return the version of its next snapshot."""
    [version] = (await raise_versions(tx, [provider_id])).values()
    return version


async def raise_versions(tx: WriteTx, provider_ids: Collection[UUID]) -> dict[UUID, int]:
    """Do for locked providers what `raise_version` does for one."""
    raised = update(ProviderRow).where(among(ProviderRow.id, provider_ids)).values(version=ProviderRow.version + 1)
    rows = await tx.all(raised.returning(ProviderRow.id, ProviderRow.version))
    return {row.id: row.version for row in rows}


async def change_contact(tx: WriteTx, provider_id: UUID, *, contact_phone: str | None) -> None:
    own = ProviderPrivateRow.provider_id == provider_id
    await tx.execute(update(ProviderPrivateRow).where(own).values(contact_phone=contact_phone))


async def replace_categories(tx: WriteTx, provider_id: UUID, slugs: Sequence[str]) -> None:
    await tx.execute(delete(ProviderCategoryRow).where(ProviderCategoryRow.provider_id == provider_id))
    await tx.execute(insert(ProviderCategoryRow), category_rows(provider_id, slugs))


def category_rows(provider_id: UUID, slugs: Sequence[str]) -> list[dict[str, Any]]:
    return [{"provider_id": provider_id, "category": slug, "position": position} for position, slug in enumerate(slugs)]


async def move_status(
    tx: WriteTx, provider: ProviderRef, to: ProviderStatus, *, actor_id: UUID, reason: str | None = None
) -> None:
    """Set the status of a locked provider and write down who did it and why."""
    values: dict[str, Any] = {"status": to}
    if to is ProviderStatus.SUBMITTED:
        values["submitted_at"] = tx.now()
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider.id).values(**values))
    entry = {
        "id": uuid7(),
        "provider_id": provider.id,
        "actor_id": actor_id,
        "from_status": provider.status,
        "to_status": to,
        "reason": reason,
    }
    await tx.execute(insert(ApprovalRow).values(**entry))


async def set_rejection_reason(tx: WriteTx, provider_id: UUID, reason: str | None) -> None:
    own = ProviderPrivateRow.provider_id == provider_id
    await tx.execute(update(ProviderPrivateRow).where(own).values(rejection_reason=reason))


async def raise_book_count(tx: WriteTx, provider_id: UUID, *, book_count: int) -> bool:
    """Keep the newest figure of booking, so late and double delivery change nothing. Return whether it was newer."""
    older = (ProviderRow.id == provider_id) & (ProviderRow.book_count < book_count)
    return await tx.execute(update(ProviderRow).where(older).values(book_count=book_count)) == 1


async def raise_rating(tx: WriteTx, provider_id: UUID, *, rating_sum: int, rating_count: int) -> bool:
    """Keep the newest figures of reviews. Return whether they were newer."""
    older = (ProviderRow.id == provider_id) & (ProviderRow.rating_count < rating_count)
    figures = {"rating_sum": rating_sum, "rating_count": rating_count, "rating_avg": rating_sum / rating_count}
    return await tx.execute(update(ProviderRow).where(older).values(**figures)) == 1


async def set_has_hours(tx: WriteTx, provider_id: UUID, *, has_hours: bool, version: int) -> bool:
    older = (ProviderRow.id == provider_id) & (ProviderRow.hours_version < version)
    return await tx.execute(update(ProviderRow).where(older).values(has_hours=has_hours, hours_version=version)) == 1

"""Profiles as they are written: one provider at a time, locked by its caller."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, bindparam, delete, insert, or_, select, update

from fairground.contracts.providers import ProviderRef, ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.profiles import search_words, slug_base, slug_candidates
from fairground.modules.providers.tables import (
    ApprovalRow,
    ProviderCategoryRow,
    ProviderPrivateRow,
    ProviderRow,
    ProviderWordRow,
    shown_status,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among

_REF_COLUMNS: Final = [
    shown_status() if name == "status" else getattr(ProviderRow, name) for name in ProviderRef.model_fields
]
CONTACT_COLUMNS: Final = ("contact_email", "contact_phone", "address", "meeting_details")
"""The columns that tell who a provider is and where; none is left of a closed account."""
INITIAL_FIGURES: Final[Mapping[str, Any]] = {
    "book_count": 0,
    "rating_sum": 0,
    "rating_count": 0,
    "rating_avg": 0.0,
    "has_hours": False,
    "hours_version": 0,
}
"""The figures of a provider before the first event about it."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A provider, and by which versions its figures are those of the events so far."""

    provider: ProviderRef
    book_count: int
    rating_version: int
    hours_version: int


async def find_ref(tx: ReadTx, provider_id: UUID) -> ProviderRef | None:
    return _ref_of(await tx.one_or_none(_ref_by_id(tx.ops), {"id": provider_id}))


@lru_cache(maxsize=2)  # one for each dialect
def _ref_by_id(_ops: SQLOps) -> Prepared:
    return Prepared(select(*_REF_COLUMNS).where(ProviderRow.id == bindparam("id")))


async def find_ref_owned_by(tx: ReadTx, owner_id: UUID) -> ProviderRef | None:
    return _ref_of(await tx.one_or_none(select(*_REF_COLUMNS).where(ProviderRow.owner_id == owner_id)))


def _ref_of(row: Any) -> ProviderRef | None:
    return ProviderRef(**row._asdict()) if row else None


async def list_refs(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, ProviderRef]:
    rows = await tx.all(select(*_REF_COLUMNS).where(among(ProviderRow.id, provider_ids)))
    return {row.id: ProviderRef(**row._asdict()) for row in rows}


async def lock_provider(tx: WriteTx, provider_id: UUID) -> ProviderRef | None:
    """Lock a provider until this transaction ends, and return it."""
    rows = await tx.lock(select(*_REF_COLUMNS).where(ProviderRow.id == provider_id))
    return ProviderRef(**rows[0]._asdict()) if rows else None


async def insert_draft(tx: WriteTx, values: Mapping[str, Any], *, contact: Mapping[str, Any]) -> bool:
    """Insert a provider under the first free slug. Return False when its owner has one already.

    The loop ends: an insert fails only when another transaction has committed the slug, and the next choice sees it.
    """
    base = slug_base(values["business_name"]) or str(values["id"])
    while await find_ref_owned_by(tx, values["owner_id"]) is None:
        [slug] = await choose_slugs(tx, [base])
        if await tx.insert_ignore(ProviderRow, [{**INITIAL_FIGURES, **values, "slug": slug}]):
            await tx.execute(insert(ProviderPrivateRow).values(provider_id=values["id"], **contact))
            await insert_words(tx, {values["id"]: values["business_name"]})
            return True
    return False


_RANGES_A_STATEMENT: Final = 50  # SQLite refuses an expression that is nested too deep


async def choose_slugs(tx: ReadTx, bases: Sequence[str]) -> list[str]:
    """Return a different free slug for each base; another transaction may still take one first."""
    taken = set(await tx.scalars(select(ProviderRow.slug).where(among(ProviderRow.slug, set(bases)))))
    crowded = taken | {base for base, times in Counter(bases).items() if times > 1}
    taken |= await _find_numbered(tx, sorted(crowded))
    candidates = {base: slug_candidates(base) for base in set(bases)}
    chosen = []
    for base in bases:
        slug = next(candidate for candidate in candidates[base] if candidate not in taken)
        taken.add(slug)
        chosen.append(slug)
    return chosen


async def _find_numbered(tx: ReadTx, bases: Sequence[str]) -> set[str]:
    """Return the slugs that continue one of the bases with a hyphen and a digit."""
    found: set[str] = set()
    for start in range(0, len(bases), _RANGES_A_STATEMENT):
        ranges = [_numbered(base) for base in bases[start : start + _RANGES_A_STATEMENT]]
        found.update(await tx.scalars(select(ProviderRow.slug).where(or_(*ranges))))
    return found


def _numbered(base: str) -> ColumnElement[bool]:
    # The colon is the code point after the digit 9.
    return and_(ProviderRow.slug >= f"{base}-0", ProviderRow.slug < f"{base}-:")


async def change_profile(tx: WriteTx, provider_id: UUID, values: Mapping[str, Any]) -> None:
    await tx.execute(update(ProviderRow).where(ProviderRow.id == provider_id).values(**values))


async def insert_words(tx: WriteTx, names: Mapping[UUID, str]) -> None:
    """Store the words by which staff find new providers."""
    rows = [{"word": word, "provider_id": each} for each, name in names.items() for word in search_words(name)]
    await tx.insert_many(ProviderWordRow, rows)


async def replace_words(tx: WriteTx, names: Mapping[UUID, str]) -> None:
    """Store the words of providers with new names instead of the earlier ones."""
    await tx.execute(delete(ProviderWordRow).where(among(ProviderWordRow.provider_id, names)))
    await insert_words(tx, names)


async def change_contact(tx: WriteTx, provider_id: UUID, values: Mapping[str, Any]) -> None:
    own = ProviderPrivateRow.provider_id == provider_id
    await tx.execute(update(ProviderPrivateRow).where(own).values(**values))


async def follow_owner(tx: WriteTx, provider_id: UUID, *, is_active: bool, version: int) -> ProviderStatus | None:
    """Hide or show a locked provider; return its own status, or None where this version is not newer."""
    is_newer = (ProviderRow.id == provider_id) & (ProviderRow.owner_version < version)
    values = {"is_owner_active": is_active, "owner_version": version}
    if await tx.execute(update(ProviderRow).where(is_newer).values(**values)) == 0:
        return None
    return ProviderStatus(await tx.scalar(select(ProviderRow.status).where(ProviderRow.id == provider_id)))


async def replace_categories(tx: WriteTx, provider_id: UUID, slugs: Sequence[str]) -> None:
    await tx.execute(delete(ProviderCategoryRow).where(ProviderCategoryRow.provider_id == provider_id))
    await tx.execute(insert(ProviderCategoryRow), category_rows(provider_id, slugs))


def category_rows(provider_id: UUID, slugs: Sequence[str]) -> list[dict[str, Any]]:
    return [{"provider_id": provider_id, "category": slug, "position": position} for position, slug in enumerate(slugs)]


async def raise_versions(tx: WriteTx, provider_ids: Collection[UUID]) -> dict[UUID, int]:
    """Count a change of each locked provider; return the version of its next snapshot."""
    raised = update(ProviderRow).where(among(ProviderRow.id, provider_ids)).values(version=ProviderRow.version + 1)
    rows = await tx.all(raised.returning(ProviderRow.id, ProviderRow.version))
    return {row.id: row.version for row in rows}


async def move_status(
    tx: WriteTx, provider: ProviderRef, to: ProviderStatus, *, actor_id: UUID, reason: str | None = None
) -> None:
    """Set the status of a locked provider and record the actor and the reason."""
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


async def lock_figures(tx: WriteTx, provider_ids: Collection[UUID]) -> dict[UUID, Figures]:
    """Lock providers until this transaction ends, in the order of their ids, and return their figures."""
    statement = select(*_REF_COLUMNS, ProviderRow.book_count, ProviderRow.rating_version, ProviderRow.hours_version)
    rows = await tx.lock(statement.where(among(ProviderRow.id, provider_ids)).order_by(ProviderRow.id))
    return {
        row.id: Figures(
            provider=ProviderRef(**{name: getattr(row, name) for name in ProviderRef.model_fields}),
            book_count=row.book_count,
            rating_version=row.rating_version,
            hours_version=row.hours_version,
        )
        for row in rows
    }


async def change_figures(tx: WriteTx, changes: Mapping[UUID, Mapping[str, Any]]) -> None:
    """Change the same columns of locked providers."""
    if changes:
        names = next(iter(changes.values()))
        statement = update(ProviderRow).where(ProviderRow.id == bindparam("changed_id"))
        rows = [{"changed_id": provider_id, **values} for provider_id, values in changes.items()]
        await tx.execute(statement.values({name: bindparam(name) for name in names}), rows)

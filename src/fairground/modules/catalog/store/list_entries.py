"""Who stands in which list: entries are made anew from the providers, and the counts beside them follow."""

from collections.abc import Collection, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, CompoundSelect, delete, insert, literal, select, union_all

from fairground.contracts.catalog import ProviderStatus
from fairground.modules.catalog.store import price_bands
from fairground.modules.catalog.tables import EVERYBODY, ListEntryRow, ProviderCategoryRow, ProviderRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import BytewiseText, among

_COPIED: Final = [column.name for column in ListEntryRow.__table__.c if column.name not in {"scope", "provider_id"}]


async def list_anew(tx: WriteTx, provider_ids: Collection[UUID], *, scale_minor: Sequence[int]) -> None:
    """Make the entries of some providers, and the counts of their lists, equal to what the providers are now.

    Args:
        scale_minor: The lower edges of the price bands, ascending.
    """
    # Two changes of one provider follow each other, or each would count what it had found before the other.
    changed = among(ProviderRow.id, provider_ids)
    await tx.lock(select(ProviderRow.id).where(changed).order_by(ProviderRow.id))
    mine = among(ListEntryRow.provider_id, provider_ids)
    before = await price_bands.count_entries(tx, mine, scale_minor=scale_minor)
    await tx.execute(delete(ListEntryRow).where(mine))
    await insert_entries(tx, changed)
    after = await price_bands.count_entries(tx, mine, scale_minor=scale_minor)
    after.subtract(before)
    await price_bands.add_counts(tx, after)


async def list_new(tx: WriteTx, provider_ids: Collection[UUID], *, scale_minor: Sequence[int]) -> None:
    """Do what `list_anew` does for providers that this transaction has made, whom nobody else knows yet."""
    await insert_entries(tx, among(ProviderRow.id, provider_ids))
    mine = among(ListEntryRow.provider_id, provider_ids)
    await price_bands.add_counts(tx, await price_bands.count_entries(tx, mine, scale_minor=scale_minor))


async def insert_entries(tx: WriteTx, providers: ColumnElement[bool]) -> None:
    """Insert the entries of those approved providers for whom the condition holds."""
    names = ["scope", "provider_id", *_COPIED]
    await tx.execute(insert(ListEntryRow).from_select(names, _entries(providers)))


def _entries(providers: ColumnElement[bool]) -> CompoundSelect[*tuple[object, ...]]:
    columns = [ProviderRow.id, *(getattr(ProviderRow, name) for name in _COPIED)]
    listed = (ProviderRow.status == ProviderStatus.APPROVED, providers)
    in_category = ProviderRow.vertical + "/" + ProviderCategoryRow.category
    return union_all(
        select(literal(EVERYBODY, BytewiseText), *columns).where(*listed),
        select(ProviderRow.vertical, *columns).where(*listed),
        select(in_category, *columns)
        .join(ProviderCategoryRow, ProviderCategoryRow.provider_id == ProviderRow.id)
        .where(*listed),
    )

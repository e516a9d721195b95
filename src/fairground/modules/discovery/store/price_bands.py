"""Price bands: the number of providers of each list by lowest price, kept in the transactions that change entries."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, case, delete, func, select, update

from fairground.modules.discovery.tables import (
    ALL_PROVIDERS_SCOPE,
    NO_PRICE_BAND,
    NO_PRICE_SORTS_AS,
    ListEntryRow,
    PriceBandRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among, constant

BandCounts = Counter[tuple[str, int]]
"""Providers by scope and by the lower edge of their band."""
# This row is never deleted, so its lock serialises writers.
_IS_TURN: Final = (PriceBandRow.scope == ALL_PROVIDERS_SCOPE) & (PriceBandRow.from_minor == NO_PRICE_BAND)


async def count_entries_of(tx: ReadTx, provider_ids: Collection[UUID], *, scale_minor: Sequence[int]) -> BandCounts:
    """Count the entries of these providers."""
    return _counter(await tx.all(_count_of_providers(tx.ops, tuple(scale_minor)), {"ids": list(provider_ids)}))


@lru_cache(maxsize=8)  # one for each dialect and scale
def _count_of_providers(_ops: SQLOps, scale_minor: tuple[int, ...]) -> Prepared:
    return Prepared(_count_by_band(scale_minor).where(among(ListEntryRow.provider_id, bindparam("ids"))))


def _count_by_band(scale_minor: Sequence[int]) -> Select[str, int, int]:
    band = _band(scale_minor).label("band")
    return select(ListEntryRow.scope, band, func.count()).group_by(ListEntryRow.scope, band)


def _counter(rows: Iterable[tuple[str, int, int]]) -> BandCounts:
    return Counter({(scope, from_minor): count for scope, from_minor, count in rows})


def _band(scale_minor: Sequence[int]) -> ColumnElement[int]:
    price = ListEntryRow.price_sort_minor
    edges = sorted(scale_minor, reverse=True)
    # Numbers in the SQL text, because PostgreSQL takes two parameters of equal value for two expressions.
    steps = [(price >= edge, constant(edge)) for edge in edges]
    return case((price == NO_PRICE_SORTS_AS, constant(NO_PRICE_BAND)), *steps)


async def add_counts(tx: WriteTx, changes: BandCounts) -> None:
    """Add changes, which may be negative, to the counts."""
    if not any(changes.values()):
        return  # a booking or a rating changes no band, and must not wait for the lock
    await _take_turn(tx)
    insert = tx.ops.insert(PriceBandRow.__table__)
    more = {"providers": PriceBandRow.providers + insert.excluded.providers}
    rows = [
        {"scope": scope, "from_minor": from_minor, "providers": change}
        for (scope, from_minor), change in sorted(changes.items())
        if change
    ]
    await tx.execute(insert.on_conflict_do_update(index_elements=["scope", "from_minor"], set_=more), rows)


async def recount(tx: WriteTx, *, scale_minor: Sequence[int]) -> None:
    """Count all entries again in these bands, which may be new ones."""
    await _take_turn(tx)
    counts = _counter(await tx.all(_count_by_band(scale_minor)))
    empty = {(ALL_PROVIDERS_SCOPE, from_minor): 0 for from_minor in (NO_PRICE_BAND, *scale_minor)}
    rows = [
        {"scope": scope, "from_minor": from_minor, "providers": count}
        for (scope, from_minor), count in (empty | counts).items()
    ]
    await tx.execute(delete(PriceBandRow).where(~_IS_TURN))
    await tx.execute(update(PriceBandRow).where(_IS_TURN).values(providers=counts[ALL_PROVIDERS_SCOPE, NO_PRICE_BAND]))
    await tx.insert_many(PriceBandRow, rows)


async def _take_turn(tx: WriteTx) -> None:
    """Keep others from changing counts until this transaction ends: two that add to the same ones would deadlock.

    A recount would miss what another transaction adds meanwhile.
    """
    await tx.lock(select(PriceBandRow.providers).where(_IS_TURN))


async def list_bands(tx: ReadTx, scope: str) -> list[int]:
    """Return the lower edges that the providers of a list are counted by, with NO_PRICE_BAND where it is used."""
    return await tx.scalars(select(PriceBandRow.from_minor).where(PriceBandRow.scope == scope))


async def find_counts(tx: ReadTx, scopes: Collection[str]) -> Mapping[int, int]:
    """Return the number of providers in each band, of lists without a common provider."""
    counts = select(PriceBandRow.from_minor, func.sum(PriceBandRow.providers)).where(PriceBandRow.scope.in_(scopes))
    return {from_minor: int(count) for from_minor, count in await tx.all(counts.group_by(PriceBandRow.from_minor))}

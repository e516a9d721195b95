"""The list of providers: one builder of conditions for the page, its total and its price bands."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.sql.elements import ColumnElement

from fairground.contracts.catalog import ProviderCard, ProviderSort, ProviderStatus
from fairground.modules.catalog.store.cards import CARD_COLUMNS, card_fields, list_categories
from fairground.modules.catalog.tables import ProviderCategoryRow, ProviderPhraseRow, ProviderRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import after_prefix

_ORDER: Final[dict[ProviderSort, ColumnElement[Any]]] = {
    ProviderSort.MOST_BOOKED: ProviderRow.book_count.desc(),
    ProviderSort.TOP_RATED: ProviderRow.rating_avg.desc(),
    ProviderSort.NEWEST: ProviderRow.created_at.desc(),
    ProviderSort.PRICE: ProviderRow.price_sort_minor.asc(),
}


@dataclass(frozen=True, kw_only=True)
class ListFilter:
    """What the listed providers have in common, besides being approved. None means that it does not matter."""

    vertical: str | None = None
    categories: frozenset[str] | None = None
    """Slugs; a provider has at least one of them."""
    name: str | None = None
    """Folded; the name or a word in it begins with it."""
    location: str | None = None
    """Folded; the location or a word in it begins with it."""
    min_minor: int | None = None
    max_minor: int | None = None
    """Bounds of the lowest price, included. Either one leaves out providers without a price."""


async def list_cards(
    tx: ReadTx, wanted: ListFilter, *, sort: ProviderSort, limit: int, offset: int
) -> list[ProviderCard]:
    statement = (
        select(*CARD_COLUMNS)
        .where(*_conditions(wanted), *_price_conditions(wanted))
        .order_by(_ORDER[sort], ProviderRow.id)
        .limit(limit)
        .offset(offset)
    )
    rows = await tx.all(statement)
    categories = await list_categories(tx, [row.id for row in rows])
    return [ProviderCard(**card_fields(row, categories[row.id])) for row in rows]


async def count_providers(tx: ReadTx, wanted: ListFilter) -> int:
    statement = select(func.count()).select_from(ProviderRow)
    total: int = await tx.scalar(statement.where(*_conditions(wanted), *_price_conditions(wanted)))
    return total


async def count_with_bands(tx: ReadTx, wanted: ListFilter, *, edges_minor: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many providers match, and how many would in each price band if the price did not matter.

    Args:
        edges_minor: Ascending upper edges of the bands, not included in them; a last band above them is open.
    """
    bands = zip([0, *edges_minor], [*edges_minor, None], strict=True)
    counts = [
        func.count().filter(*_price_conditions(wanted)),
        *(func.count().filter(*_band(*edges)) for edges in bands),
    ]
    statement = select(*counts).select_from(ProviderRow).where(*_conditions(wanted))
    total, *in_bands = await tx.one_or_none(statement)
    return total, in_bands


def _band(lowest: int, below: int | None) -> list[ColumnElement[bool]]:
    price = ProviderRow.price_from_minor
    return [price >= lowest] if below is None else [price >= lowest, price < below]


def _conditions(wanted: ListFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [ProviderRow.status == ProviderStatus.APPROVED]
    if wanted.vertical is not None:
        conditions.append(ProviderRow.vertical == wanted.vertical)
    if wanted.categories is not None:
        having = select(ProviderCategoryRow.provider_id).where(ProviderCategoryRow.category.in_(wanted.categories))
        conditions.append(ProviderRow.id.in_(having))
    if wanted.name is not None:
        conditions.append(_begins("name", wanted.name))
    if wanted.location is not None:
        conditions.append(_begins("location", wanted.location))
    return conditions


def _begins(field: str, prefix: str) -> ColumnElement[bool]:
    phrase = ProviderPhraseRow.phrase
    found = select(ProviderPhraseRow.provider_id).where(
        ProviderPhraseRow.field == field, phrase >= prefix, phrase < after_prefix(prefix)
    )
    return ProviderRow.id.in_(found)


def _price_conditions(wanted: ListFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.min_minor is not None or wanted.max_minor is not None:
        conditions.append(ProviderRow.price_from_minor.is_not(None))
    if wanted.min_minor is not None:
        conditions.append(ProviderRow.price_sort_minor >= wanted.min_minor)
    if wanted.max_minor is not None:
        conditions.append(ProviderRow.price_sort_minor <= wanted.max_minor)
    return conditions

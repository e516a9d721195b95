"""The rows of approved providers in the read model: their copies, their list entries, and the phrases that find them.

All are written from snapshots, in transactions that have locked the availability summaries of the providers.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, exists, func, select, update

from fairground.contracts.discovery import ListedPage, Place
from fairground.contracts.providers import ProviderCard, ProviderSnapshot
from fairground.kernel.folding import endings, fold, phrases
from fairground.modules.discovery.domain.places import place_values
from fairground.modules.discovery.store import price_bands
from fairground.modules.discovery.tables import (
    ALL_PROVIDERS_SCOPE,
    NO_PRICE_SORTS_AS,
    ListedProviderRow,
    ListEntryRow,
    LocationPhraseRow,
    NamePhraseRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among

CARD_COLUMNS: Final = (
    ListedProviderRow.id,
    ListedProviderRow.slug,
    ListedProviderRow.business_name,
    ListedProviderRow.profile_picture_url,
    ListedProviderRow.custom_subtitle,
    ListedProviderRow.location,
    ListedProviderRow.categories,
    ListedProviderRow.price_from_minor,
    ListedProviderRow.currency,
    ListedProviderRow.rating_avg,
    ListedProviderRow.rating_count,
    ListedProviderRow.book_count,
)
_COLUMNS: Final = tuple(column.name for column in ListedProviderRow.__table__.c)
_SHOWN_AS_STORED: Final = tuple(column.key for column in CARD_COLUMNS if column.key not in {"rating_avg", "categories"})


def card_fields(row: Any) -> dict[str, Any]:
    """Return the fields of a ProviderCard from a row that has the CARD_COLUMNS."""
    fields = {name: getattr(row, name) for name in _SHOWN_AS_STORED}
    fields["service_categories"] = row.categories.split()
    fields["rating"] = round(row.rating_avg, 2) if row.rating_count else None
    return fields


async def list_cards(tx: ReadTx, provider_ids: Sequence[UUID]) -> list[ProviderCard]:
    """Return the cards of providers in the order of the ids."""
    rows = await tx.all(select(*CARD_COLUMNS).where(among(ListedProviderRow.id, provider_ids)))
    by_id = {row.id: row for row in rows}
    return [ProviderCard(**card_fields(by_id[each])) for each in provider_ids if each in by_id]


async def find_places(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, Place]:
    columns = (ListedProviderRow.id, ListedProviderRow.lat, ListedProviderRow.lng)
    placed = (among(ListedProviderRow.id, provider_ids), ListedProviderRow.lat.is_not(None))
    return {row.id: Place(lat=row.lat, lng=row.lng) for row in await tx.all(select(*columns).where(*placed))}


async def count(tx: ReadTx) -> int:
    number: int = await tx.scalar(select(func.count()).select_from(ListedProviderRow))
    return number


async def list_pages(tx: ReadTx, *, offset: int, limit: int) -> list[ListedPage]:
    columns = (ListedProviderRow.slug, ListedProviderRow.updated_at)
    # The database walks the key's index over the offset, once in the life of a cached sitemap.
    rows = await tx.all(select(*columns).order_by(ListedProviderRow.id).offset(offset).limit(limit))
    return [ListedPage(slug=row.slug, updated_at=row.updated_at) for row in rows]


async def has_any(tx: ReadTx) -> bool:
    return bool(await tx.scalar(select(exists(select(ListedProviderRow.id)))))


async def list_rows(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the columns of each copy, by name."""
    rows = await tx.all(_rows_of(tx.ops), {"ids": list(provider_ids)})
    return {row.id: row._asdict() for row in rows}


@lru_cache(maxsize=2)  # one for each dialect
def _rows_of(_ops: SQLOps) -> Prepared:
    return Prepared(select(*ListedProviderRow.__table__.c).where(among(ListedProviderRow.id, bindparam("ids"))))


def row_of(snapshot: ProviderSnapshot) -> dict[str, Any]:
    """Return the columns of the copy of a provider."""
    fields = dict(snapshot) | {"categories": " ".join(snapshot.categories)}
    return {name: fields[name] for name in _COLUMNS}


async def replace_rows(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    await delete_rows(tx, [row["id"] for row in rows])
    await tx.insert_many(ListedProviderRow, rows)


async def delete_rows(tx: WriteTx, provider_ids: Collection[UUID]) -> None:
    if provider_ids:
        await tx.execute(delete(ListedProviderRow).where(among(ListedProviderRow.id, provider_ids)))


async def replace_name_phrases(tx: WriteTx, names: Mapping[UUID, str]) -> None:
    """Make providers findable by their names, and by these alone."""
    await delete_name_phrases(tx, names)
    await tx.insert_many(NamePhraseRow, name_phrase_rows(names))


async def delete_name_phrases(tx: WriteTx, provider_ids: Collection[UUID]) -> None:
    if provider_ids:
        await tx.execute(delete(NamePhraseRow).where(among(NamePhraseRow.provider_id, provider_ids)))


def name_phrase_rows(names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [{"provider_id": each, "phrase": phrase} for each, name in names.items() for phrase in phrases(name)]


async def learn_locations(tx: WriteTx, folded_locations: Collection[str]) -> None:
    """Make folded locations findable by any part of them."""
    phrase, location = LocationPhraseRow.phrase, LocationPhraseRow.folded_location
    new = set(folded_locations)
    if not new:
        return
    whole = {folded.replace(" ", "") for folded in new}
    known = await tx.scalars(select(location).where(among(phrase, whole), among(location, new)))
    # In one order, so that two imports that learn the same ones wait for each other in one direction only.
    rows = sorted(location_phrase_rows(new - set(known)), key=lambda row: [*row.values()])
    await tx.insert_many(LocationPhraseRow, rows)


def location_phrase_rows(folded_locations: Collection[str]) -> list[dict[str, str]]:
    return [
        {"phrase": ending, "folded_location": location} for location in folded_locations for ending in endings(location)
    ]


async def replace_entries(
    tx: WriteTx, provider_ids: Collection[UUID], entries: Sequence[Mapping[str, Any]], *, scale_minor: Sequence[int]
) -> None:
    """Replace the entries of providers, whose summaries this transaction has locked, and adjust the price bands.

    Args:
        scale_minor: The lower edges of the price bands, ascending.
    """
    if not provider_ids:
        return
    before = await price_bands.count_entries_of(tx, provider_ids, scale_minor=scale_minor)
    await tx.execute(_entries_deletion(tx.ops), {"ids": list(provider_ids)})
    await tx.insert_many(ListEntryRow, entries)
    after = await price_bands.count_entries_of(tx, provider_ids, scale_minor=scale_minor)
    after.subtract(before)
    await price_bands.add_counts(tx, after)


@lru_cache(maxsize=2)
def _entries_deletion(_ops: SQLOps) -> Prepared:
    return Prepared(delete(ListEntryRow).where(among(ListEntryRow.provider_id, bindparam("ids"))))


async def set_open_days(tx: WriteTx, provider_id: UUID, *, open_days: int) -> bool:
    """Set the open days of a provider's entries. Return False when they have them already, or there are none."""
    return await tx.execute(_open_days_change(tx.ops), {"provider": provider_id, "new": open_days}) > 0


@lru_cache(maxsize=2)
def _open_days_change(_ops: SQLOps) -> Prepared:
    new = bindparam("new", type_=BigInteger())
    other = ListEntryRow.provider_id == bindparam("provider"), ListEntryRow.open_days != new
    return Prepared(update(ListEntryRow).where(*other).values(open_days=new))


def entry_rows(provider: ProviderSnapshot, *, open_days: int) -> list[dict[str, Any]]:
    """Return the entries of an approved provider: in the list of all, of its vertical, and of each category."""
    price = provider.price_from_minor
    columns = {
        "provider_id": provider.id,
        "book_count": provider.book_count,
        "rating_avg": provider.rating_avg,
        "created_at": provider.created_at,
        "price_sort_minor": NO_PRICE_SORTS_AS if price is None else price,
        "open_days": open_days,
        "folded_location": fold(provider.location),
        "lng": provider.lng,
        **place_values(provider.lat, provider.lng),
    }
    scopes = (ALL_PROVIDERS_SCOPE, provider.vertical, *(f"{provider.vertical}/{each}" for each in provider.categories))
    return [{"scope": scope, **columns} for scope in scopes]

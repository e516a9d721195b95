"""The copies of approved providers, and the phrases by which their names are found."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, exists, select

from fairground.contracts.discovery import Place
from fairground.contracts.providers import ProviderCard, ProviderSnapshot
from fairground.kernel.folding import phrases
from fairground.modules.discovery.tables import ListedProviderRow, NamePhraseRow
from fairground.platform.db.database import ReadTx, WriteTx
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


async def has_any(tx: ReadTx) -> bool:
    return bool(await tx.scalar(select(exists(select(ListedProviderRow.id)))))


async def list_rows(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the columns of each copy, by name."""
    rows = await tx.all(select(*ListedProviderRow.__table__.c).where(among(ListedProviderRow.id, provider_ids)))
    return {row.id: row._asdict() for row in rows}


def row_of(snapshot: ProviderSnapshot) -> dict[str, Any]:
    """Return the columns of the copy of a provider."""
    fields = dict(snapshot) | {"categories": " ".join(snapshot.categories)}
    return {name: fields[name] for name in _COLUMNS}


async def replace_rows(tx: WriteTx, rows: Sequence[Mapping[str, Any]]) -> None:
    await delete_rows(tx, [row["id"] for row in rows])
    await tx.insert_many(ListedProviderRow, rows)


async def delete_rows(tx: WriteTx, provider_ids: Collection[UUID]) -> None:
    await tx.execute(delete(ListedProviderRow).where(among(ListedProviderRow.id, provider_ids)))


async def replace_name_phrases(tx: WriteTx, names: Mapping[UUID, str]) -> None:
    """Make providers findable by their names, and by these alone."""
    await delete_name_phrases(tx, names)
    await tx.insert_many(NamePhraseRow, name_phrase_rows(names))


async def delete_name_phrases(tx: WriteTx, provider_ids: Collection[UUID]) -> None:
    await tx.execute(delete(NamePhraseRow).where(among(NamePhraseRow.provider_id, provider_ids)))


def name_phrase_rows(names: Mapping[UUID, str]) -> list[dict[str, Any]]:
    return [{"provider_id": each, "phrase": phrase} for each, name in names.items() for phrase in phrases(name)]

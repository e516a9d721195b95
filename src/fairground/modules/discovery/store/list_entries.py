"""The entries of lists, written from snapshots of providers, and the price bands that follow from them."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, update

from fairground.contracts.providers import ProviderSnapshot
from fairground.kernel.folding import fold
from fairground.modules.discovery.domain.places import place_values
from fairground.modules.discovery.store import price_bands
from fairground.modules.discovery.tables import ALL_PROVIDERS_SCOPE, NO_PRICE_SORTS_AS, ListEntryRow
from fairground.platform.db.database import WriteTx
from fairground.platform.db.types import among


async def replace_entries(
    tx: WriteTx, provider_ids: Collection[UUID], entries: Sequence[Mapping[str, Any]], *, scale_minor: Sequence[int]
) -> None:
    """Replace the entries of providers, whose summaries this transaction has locked, and adjust the price bands.

    Args:
        scale_minor: The lower edges of the price bands, ascending.
    """
    mine = among(ListEntryRow.provider_id, provider_ids)
    before = await price_bands.count_entries(tx, mine, scale_minor=scale_minor)
    await tx.execute(delete(ListEntryRow).where(mine))
    await tx.insert_many(ListEntryRow, entries)
    after = await price_bands.count_entries(tx, mine, scale_minor=scale_minor)
    after.subtract(before)
    await price_bands.add_counts(tx, after)


async def set_open_days(tx: WriteTx, provider_id: UUID, *, open_days: int) -> bool:
    """Set the open days of a provider's entries. Return False when they have them already, or there are none."""
    other = (ListEntryRow.provider_id == provider_id, ListEntryRow.open_days != open_days)
    return await tx.execute(update(ListEntryRow).where(*other).values(open_days=open_days)) > 0


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

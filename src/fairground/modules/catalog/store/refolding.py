"""Renews what providers have in folded words, after a release that folds words by other rules."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from fairground.modules.catalog.domain.words import fold, phrases
from fairground.modules.catalog.store.profiles import replace_name_phrases
from fairground.modules.catalog.tables import NamePhraseRow, ProviderRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among


async def list_new_locations(tx: ReadTx, provider_ids: Collection[UUID]) -> set[str]:
    """Return the folded locations of those providers that are not what is stored of them."""
    statement = select(ProviderRow.location, ProviderRow.folded_location)
    rows = await tx.all(statement.where(among(ProviderRow.id, provider_ids)))
    return {folded for row in rows if (folded := fold(row.location)) != row.folded_location}


async def refold(tx: WriteTx, provider_ids: Collection[UUID]) -> list[UUID]:
    """Lock providers and renew their folded locations and names; return those whose location changed.

    Their locations must be learned already (`learn_locations`), and their list entries are the caller's to rebuild.
    """
    mine = among(ProviderRow.id, provider_ids)
    columns: tuple[Any, ...] = (
        ProviderRow.id,
        ProviderRow.business_name,
        ProviderRow.location,
        ProviderRow.folded_location,
    )
    rows = await tx.lock(select(*columns).where(mine).order_by(ProviderRow.id))
    stored = await _list_name_phrases(tx, provider_ids)
    moved = []
    for row in rows:
        if phrases(row.business_name) != stored[row.id]:
            await replace_name_phrases(tx, row.id, row.business_name)
        folded = fold(row.location)
        if folded != row.folded_location:
            own = ProviderRow.id == row.id
            await tx.execute(update(ProviderRow).where(own).values(folded_location=folded))
            moved.append(row.id)
    return moved


async def _list_name_phrases(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    statement = select(NamePhraseRow.provider_id, NamePhraseRow.phrase)
    for provider_id, phrase in await tx.all(statement.where(among(NamePhraseRow.provider_id, provider_ids))):
        found[provider_id].add(phrase)
    return found

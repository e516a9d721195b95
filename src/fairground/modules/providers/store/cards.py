"""What a card is made of: the columns that a list may read, and the categories beside them."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select

from fairground.modules.providers.tables import ProviderCategoryRow, ProviderRow
from fairground.platform.db.database import ReadTx
from fairground.platform.db.types import among

CARD_COLUMNS: Final = (
    ProviderRow.id,
    ProviderRow.slug,
    ProviderRow.business_name,
    ProviderRow.profile_picture_url,
    ProviderRow.custom_subtitle,
    ProviderRow.location,
    ProviderRow.price_from_minor,
    ProviderRow.currency,
    ProviderRow.rating_avg,
    ProviderRow.rating_count,
    ProviderRow.book_count,
)


_AS_THEY_ARE: Final = tuple(column.key for column in CARD_COLUMNS if column.key != "rating_avg")


def card_fields(row: Any, categories: list[str]) -> dict[str, Any]:
    """Return the fields of a ProviderCard from a row that has the CARD_COLUMNS."""
    fields = {name: getattr(row, name) for name in _AS_THEY_ARE}
    fields["service_categories"] = categories
    fields["rating"] = round(row.rating_avg, 2) if row.rating_count else None
    return fields


async def list_categories(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the category slugs of each provider, in the order in which it named them."""
    found: dict[UUID, list[str]] = defaultdict(list)
    if provider_ids:
        statement = select(ProviderCategoryRow.provider_id, ProviderCategoryRow.category)
        statement = statement.where(among(ProviderCategoryRow.provider_id, provider_ids))
        for provider_id, category in await tx.all(statement.order_by(ProviderCategoryRow.position)):
            found[provider_id].append(category)
    return found

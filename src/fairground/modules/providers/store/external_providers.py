"""Many unclaimed providers in a few statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from fairground.contracts.providers import ProviderStatus, ServiceIn
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.slugs import slug_base
from fairground.modules.providers.store.profiles import NOT_YET_KNOWN, category_rows
from fairground.modules.providers.store.services import price_values
from fairground.modules.providers.store.slugs import choose_slugs
from fairground.modules.providers.tables import ProviderCategoryRow, ProviderRow, ServiceRow
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among


class NamesTaken(Exception):
    """Another transaction was faster with a slug or an external id. Roll back and start again."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """An imported row, checked and ready to be written."""

    external_id: str
    external_hash: str
    profile: Mapping[str, Any]
    """The columns of ProviderRow that the row fills."""
    categories: Sequence[str]
    service: ServiceIn | None


@dataclass(frozen=True, kw_only=True)
class Known:
    """A provider that an earlier import has made."""

    provider_id: UUID
    is_claimed: bool
    external_hash: str


async def find_known(tx: ReadTx, *, source: str, external_ids: Collection[str]) -> dict[str, Known]:
    columns = (ProviderRow.external_id, ProviderRow.id, ProviderRow.owner_id, ProviderRow.external_hash)
    rows = await tx.all(
        select(*columns).where(ProviderRow.external_source == source, among(ProviderRow.external_id, external_ids))
    )
    return {
        external_id: Known(provider_id=provider_id, is_claimed=owner_id is not None, external_hash=external_hash)
        for external_id, provider_id, owner_id, external_hash in rows
    }


async def insert_listings(tx: WriteTx, made: Mapping[UUID, Listing], *, source: str, created_at: datetime) -> None:
    """Insert approved providers without an owner, by their future ids.

    Raises:
        NamesTaken: See there.
    """
    bases = [slug_base(listing.profile["business_name"]) or str(new) for new, listing in made.items()]
    slugs = await choose_slugs(tx, bases)
    rows = [
        {
            **NOT_YET_KNOWN,
            **_columns(listing),
            "id": new,
            "slug": slug,
            "status": ProviderStatus.APPROVED,
            "external_source": source,
            "external_id": listing.external_id,
            "created_at": created_at,
        }
        for (new, listing), slug in zip(made.items(), slugs, strict=True)
    ]
    if await tx.insert_many(ProviderRow, rows) < len(rows):
        raise NamesTaken
    await _insert_parts(tx, made)


async def update_listings(tx: WriteTx, changed: Mapping[UUID, Listing], *, updated_at: datetime) -> None:
    """Make providers without an owner equal to their imported rows; their slugs stay.

    Nothing refers to the services that are replaced, because an unclaimed provider cannot be booked.
    """
    rows = [
        {"changed_id": provider_id, "updated_at": updated_at, **_columns(listing)}
        # In one order, so that two imports of the same rows wait for each other in one direction only.
        for provider_id, listing in sorted(changed.items())
    ]
    names = [name for name in rows[0] if name != "changed_id"]
    statement = update(ProviderRow).where(ProviderRow.id == bindparam("changed_id"))
    new: dict[str, Any] = {name: bindparam(name) for name in names}
    await tx.execute(statement.values({**new, "timezone_version": ProviderRow.timezone_version + 1}), rows)
    for part in (ProviderCategoryRow, ServiceRow):
        await tx.execute(delete(part).where(among(part.provider_id, changed)))
    await _insert_parts(tx, changed)


def _columns(listing: Listing) -> dict[str, Any]:
    service = listing.service
    price = price_values(service.price_minor, currency=service.currency) if service else price_values(None)
    return {**listing.profile, **price, "external_hash": listing.external_hash}


async def _insert_parts(tx: WriteTx, listings: Mapping[UUID, Listing]) -> None:
    categories, services = [], []
    for provider_id, listing in listings.items():
        categories += category_rows(provider_id, listing.categories)
        if listing.service:
            services.append({"id": uuid7(), "provider_id": provider_id, **dict(listing.service)})
    await tx.insert_many(ProviderCategoryRow, categories)
    await tx.insert_many(ServiceRow, services)

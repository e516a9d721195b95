"""External providers: an import step writes up to 500 unclaimed ones in a few statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from fairground.contracts.providers import ExportedProvider, ExternalProvider, ProviderStatus, Service, ServiceIn
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.profiles import slug_base
from fairground.modules.providers.store.details import list_categories, list_services
from fairground.modules.providers.store.pictures import list_gallery_ids
from fairground.modules.providers.store.profiles import (
    INITIAL_FIGURES,
    category_rows,
    choose_slugs,
    insert_words,
    replace_words,
)
from fairground.modules.providers.store.services import price_columns
from fairground.modules.providers.tables import (
    PortraitRow,
    ProviderCategoryRow,
    ProviderPrivateRow,
    ProviderRow,
    ServiceRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among

_EXPORTED_PROFILE: Final = ("business_name", "custom_subtitle", "bio", "location", "lat", "lng", "timezone")
_EXPORTED: Final = [
    getattr(ProviderRow, name)
    for name in (
        *("id", "slug", "status", "vertical", "external_source", "external_id", "profile_picture_url"),
        *_EXPORTED_PROFILE,
    )
]


class NamesTaken(Exception):
    """Another transaction has committed a slug or an external id first. Roll back and repeat the step."""


@dataclass(frozen=True, kw_only=True)
class CheckedProvider:
    """An external provider that has passed the checks, as it is stored."""

    external_id: str
    external_hash: str
    profile: Mapping[str, Any]
    """The columns of ProviderRow that the import fills."""
    categories: Sequence[str]
    services: Sequence[ServiceIn]
    contact_email: str | None = None


@dataclass(frozen=True, kw_only=True)
class KnownProvider:
    """A provider that an earlier import created."""

    provider_id: UUID
    is_claimed: bool
    external_hash: str


async def find_known(tx: ReadTx, *, source: str, external_ids: Collection[str]) -> dict[str, KnownProvider]:
    columns = (ProviderRow.external_id, ProviderRow.id, ProviderRow.owner_id, ProviderRow.external_hash)
    rows = await tx.all(
        select(*columns).where(ProviderRow.external_source == source, among(ProviderRow.external_id, external_ids))
    )
    return {
        external_id: KnownProvider(
            provider_id=provider_id, is_claimed=owner_id is not None, external_hash=external_hash
        )
        for external_id, provider_id, owner_id, external_hash in rows
    }


async def insert_providers(
    tx: WriteTx, created: Mapping[UUID, CheckedProvider], *, source: str, created_at: datetime
) -> None:
    """Insert approved providers without an owner, under the ids that are the keys.

    Raises:
        NamesTaken: The transaction must be rolled back and repeated.
    """
    bases = [slug_base(provider.profile["business_name"]) or str(new) for new, provider in created.items()]
    slugs = await choose_slugs(tx, bases)
    rows = [
        {
            **INITIAL_FIGURES,
            **_columns(provider),
            "id": new,
            "slug": slug,
            "status": ProviderStatus.APPROVED,
            "external_source": source,
            "external_id": provider.external_id,
            "created_at": created_at,
        }
        for (new, provider), slug in zip(created.items(), slugs, strict=True)
    ]
    if await tx.insert_many(ProviderRow, rows) < len(rows):
        raise NamesTaken
    await insert_words(tx, {new: provider.profile["business_name"] for new, provider in created.items()})
    await _insert_parts(tx, created)


async def update_providers(tx: WriteTx, changed: Mapping[UUID, CheckedProvider], *, updated_at: datetime) -> None:
    """Replace the data of providers without an owner; their slugs stay.

    Nothing refers to the services that are replaced, because an unclaimed provider cannot be booked.
    """
    rows = [
        {"changed_id": provider_id, "updated_at": updated_at, **_columns(provider)}
        # In the order of their ids, so two imports of the same rows cannot deadlock.
        for provider_id, provider in sorted(changed.items())
    ]
    names = [name for name in rows[0] if name != "changed_id"]
    statement = update(ProviderRow).where(ProviderRow.id == bindparam("changed_id"))
    new: dict[str, Any] = {name: bindparam(name) for name in names}
    await tx.execute(statement.values({**new, "timezone_version": ProviderRow.timezone_version + 1}), rows)
    for part in (ProviderCategoryRow, ServiceRow):
        await tx.execute(delete(part).where(among(part.provider_id, changed)))
    private = update(ProviderPrivateRow).where(among(ProviderPrivateRow.provider_id, changed))
    await tx.execute(private.values(contact_email=None))
    await replace_words(tx, {each: provider.profile["business_name"] for each, provider in sorted(changed.items())})
    await _insert_parts(tx, changed)


def _columns(provider: CheckedProvider) -> dict[str, Any]:
    return {**provider.profile, **price_columns(provider.services), "external_hash": provider.external_hash}


async def _insert_parts(tx: WriteTx, providers: Mapping[UUID, CheckedProvider]) -> None:
    categories, services = [], []
    for provider_id, provider in providers.items():
        categories += category_rows(provider_id, provider.categories)
        services += [
            {"id": uuid7(), "provider_id": provider_id, "position": position, **dict(service)}
            for position, service in enumerate(provider.services)
        ]
    await tx.insert_many(ProviderCategoryRow, categories)
    await tx.insert_many(ServiceRow, services)
    contacts = [
        {"provider_id": provider_id, "contact_email": provider.contact_email}
        for provider_id, provider in sorted(providers.items())
        if provider.contact_email
    ]
    await tx.upsert(ProviderPrivateRow, contacts, key=["provider_id"], update=["contact_email"])


async def list_exported_after(tx: ReadTx, provider_id: UUID | None, *, limit: int) -> list[ExportedProvider]:
    statement = (
        select(*_EXPORTED, PortraitRow.shown_picture_id)
        .outerjoin(PortraitRow, PortraitRow.provider_id == ProviderRow.id)
        .order_by(ProviderRow.id)
        .limit(limit)
    )
    if provider_id is not None:
        statement = statement.where(ProviderRow.id > provider_id)
    rows = await tx.all(statement)
    ids = [row.id for row in rows]
    categories, services = await list_categories(tx, ids), await list_services(tx, ids)
    gallery = await list_gallery_ids(tx, ids)
    return [
        _exported(row, categories=categories[row.id], services=services[row.id], gallery_ids=gallery[row.id])
        for row in rows
    ]


def _exported(
    row: Any, *, categories: list[str], services: Sequence[Service], gallery_ids: list[UUID]
) -> ExportedProvider:
    provider = ExternalProvider(
        external_id=row.external_id or str(row.id),
        **{name: getattr(row, name) for name in _EXPORTED_PROFILE},
        categories=categories,
        services=[ServiceIn(**service.model_dump(exclude={"id", "provider_id"})) for service in services],
    )
    return ExportedProvider(
        id=row.id,
        slug=row.slug,
        status=ProviderStatus(row.status),
        vertical=row.vertical,
        source=row.external_source,
        provider=provider,
        portrait_id=row.shown_picture_id,
        gallery_ids=gallery_ids,
        has_drawn_portrait=row.profile_picture_url is not None and row.shown_picture_id is None,
    )

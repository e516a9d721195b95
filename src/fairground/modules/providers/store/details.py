"""Providers as they are read: public detail, own record, offer, and the snapshot that read models copy."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, bindparam, func, select

from fairground.contracts.providers import (
    Offer,
    ProviderContact,
    ProviderDetail,
    ProviderSnapshot,
    ProviderStatus,
    Service,
    ServiceTerms,
)
from fairground.kernel.addresses import Address
from fairground.modules.providers.tables import (
    ProviderCategoryRow,
    ProviderPrivateRow,
    ProviderRow,
    ServiceRow,
    is_visible,
    shown_status,
)
from fairground.platform.db.database import ReadTx
from fairground.platform.db.dialect.base import SQLOps
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.types import among

_CARD_COLUMNS: Final = (
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
_DETAIL_COLUMNS: Final = (
    *_CARD_COLUMNS,
    ProviderRow.vertical,
    ProviderRow.bio,
    ProviderRow.lat,
    ProviderRow.lng,
    ProviderRow.timezone,
    ProviderRow.owner_id,
)


@dataclass(frozen=True, kw_only=True)
class OwnRecord:
    """A provider with the fields that only its owner and staff may see."""

    detail: ProviderDetail
    owner_id: UUID | None
    status: ProviderStatus
    rejection_reason: str | None
    suspension_reason: str | None
    submitted_at: datetime | None
    contact_email: str | None
    contact_phone: str | None
    address: Address | None
    meeting_details: str | None
    has_hours: bool


async def find_approved(tx: ReadTx, *, provider_id: UUID | None, slug: str) -> ProviderDetail | None:
    """Return an approved provider by its id, or by its slug when `provider_id` is None, without paused services."""
    rows = await tx.all(select(*_DETAIL_COLUMNS).where(*_approved(provider_id, slug)))
    details = await _details(tx, rows)
    if not details:
        return None
    shown = [service for service in details[0].services if not service.is_paused]
    return details[0].model_copy(update={"services": shown})


async def find_approved_id(tx: ReadTx, *, provider_id: UUID | None, slug: str) -> UUID | None:
    """Return the id of an approved provider, looked up like `find_approved`."""
    found: UUID | None = await tx.scalar(select(ProviderRow.id).where(*_approved(provider_id, slug)))
    return found


def _approved(provider_id: UUID | None, slug: str) -> tuple[Any, ...]:
    named = ProviderRow.slug == slug if provider_id is None else ProviderRow.id == provider_id
    return named, ProviderRow.status == ProviderStatus.APPROVED, is_visible()


async def find_own(tx: ReadTx, provider_id: UUID) -> OwnRecord | None:
    records = await _own_records(tx, _own().where(ProviderRow.id == provider_id))
    return records[0] if records else None


async def list_submitted(tx: ReadTx, *, limit: int) -> list[OwnRecord]:
    """Return the providers that wait for a decision, the longest wait first."""
    waiting = _own().where(ProviderRow.status == ProviderStatus.SUBMITTED, is_visible())
    return await _own_records(tx, waiting.order_by(ProviderRow.submitted_at).limit(limit))


def _own() -> Select[*tuple[Any, ...]]:
    own_columns = (
        shown_status(),
        ProviderRow.submitted_at,
        ProviderRow.has_hours,
        ProviderPrivateRow.rejection_reason,
        ProviderPrivateRow.suspension_reason,
        ProviderPrivateRow.contact_email,
        ProviderPrivateRow.contact_phone,
        ProviderPrivateRow.address,
        ProviderPrivateRow.meeting_details,
    )
    return select(*_DETAIL_COLUMNS, *own_columns).join(
        ProviderPrivateRow, ProviderPrivateRow.provider_id == ProviderRow.id, isouter=True
    )


async def _own_records(tx: ReadTx, statement: Select[*tuple[Any, ...]]) -> list[OwnRecord]:
    rows = await tx.all(statement)
    details = await _details(tx, rows)
    return [
        OwnRecord(
            detail=detail,
            owner_id=row.owner_id,
            status=ProviderStatus(row.status),
            rejection_reason=row.rejection_reason,
            suspension_reason=row.suspension_reason,
            submitted_at=row.submitted_at,
            contact_email=row.contact_email,
            contact_phone=row.contact_phone,
            address=Address.read(row.address),
            meeting_details=row.meeting_details,
            has_hours=row.has_hours,
        )
        for row, detail in zip(rows, details, strict=True)
    ]


async def _details(tx: ReadTx, rows: Sequence[Any]) -> list[ProviderDetail]:
    ids = [row.id for row in rows]
    categories = await list_categories(tx, ids)
    services = await list_services(tx, ids)
    return [
        ProviderDetail(
            **_card_fields(row, categories[row.id]),
            vertical=row.vertical,
            bio=row.bio,
            lat=row.lat,
            lng=row.lng,
            timezone=row.timezone,
            services=services[row.id],
            is_claimed=row.owner_id is not None,
        )
        for row in rows
    ]


_PLAIN_CARD_FIELDS: Final = tuple(column.key for column in _CARD_COLUMNS if column.key != "rating_avg")


def _card_fields(row: Any, categories: list[str]) -> dict[str, Any]:
    """Return the fields of a ProviderCard from a row with the _CARD_COLUMNS."""
    fields = {name: getattr(row, name) for name in _PLAIN_CARD_FIELDS}
    fields["service_categories"] = categories
    fields["rating"] = round(row.rating_avg, 2) if row.rating_count else None
    return fields


async def list_categories(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the category slugs of each provider, in the provider's order."""
    found: dict[UUID, list[str]] = defaultdict(list)
    if provider_ids:
        statement = select(ProviderCategoryRow.provider_id, ProviderCategoryRow.category)
        statement = statement.where(among(ProviderCategoryRow.provider_id, provider_ids))
        for provider_id, category in await tx.all(statement.order_by(ProviderCategoryRow.position)):
            found[provider_id].append(category)
    return found


_SERVICE_COLUMNS = [getattr(ServiceRow, name) for name in Service.model_fields]


async def list_services(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[Service]]:
    """Return the offered services of each provider, paused ones included, in the provider's order."""
    found: dict[UUID, list[Service]] = defaultdict(list)
    if provider_ids:
        for row in await tx.all(_services_of(tx.ops), {"ids": list(provider_ids)}):
            found[row.provider_id].append(Service(**row._asdict()))
    return found


@lru_cache(maxsize=2)
def _services_of(_ops: SQLOps) -> Prepared:
    offered = and_(among(ServiceRow.provider_id, bindparam("ids")), ServiceRow.withdrawn_at.is_(None))
    return Prepared(select(*_SERVICE_COLUMNS).where(offered).order_by(ServiceRow.position, ServiceRow.id))


async def find_offer(tx: ReadTx, service_id: UUID) -> Offer | None:
    """Return a service with its terms, even when it is withdrawn or its provider is not approved."""
    row = await tx.one_or_none(_offer(tx.ops), {"service_id": service_id})
    return Offer(**row._asdict()) if row else None


@lru_cache(maxsize=2)  # one for each dialect
def _offer(_ops: SQLOps) -> Prepared:
    return Prepared(_select_offers().where(ServiceRow.id == bindparam("service_id")))


async def find_contact(tx: ReadTx, provider_id: UUID) -> ProviderContact | None:
    statement = select(
        ProviderRow.business_name,
        ProviderPrivateRow.contact_email,
        ProviderPrivateRow.contact_phone,
        ProviderPrivateRow.address,
        ProviderPrivateRow.meeting_details,
    ).join(ProviderPrivateRow, ProviderPrivateRow.provider_id == ProviderRow.id, isouter=True)
    row = await tx.one_or_none(statement.where(ProviderRow.id == provider_id))
    return row and ProviderContact(
        name=row.business_name,
        email=row.contact_email,
        phone=row.contact_phone,
        address=Address.read(row.address),
        meeting_details=row.meeting_details,
    )


async def list_offers(tx: ReadTx, service_ids: Collection[UUID]) -> dict[UUID, Offer]:
    """Do the same for several services, by service."""
    rows = await tx.all(_select_offers().where(among(ServiceRow.id, service_ids)))
    return {row.service_id: Offer(**row._asdict()) for row in rows}


def _select_offers() -> Select[*tuple[Any, ...]]:
    return select(
        ServiceRow.id.label("service_id"),
        ServiceRow.name.label("service_name"),
        *(getattr(ServiceRow, name) for name in ServiceTerms.model_fields),
        ServiceRow.booking_mode,
        ServiceRow.places,
        ProviderRow.id.label("provider_id"),
        ProviderRow.business_name.label("provider_name"),
        ProviderRow.slug.label("provider_slug"),
        ProviderRow.owner_id,
        ProviderRow.vertical,
        ProviderRow.location,
        ProviderRow.lat,
        ProviderRow.lng,
        ProviderRow.timezone,
        _is_bookable().label("is_bookable"),
    ).join(ProviderRow, ProviderRow.id == ServiceRow.provider_id)


def _is_bookable() -> ColumnElement[bool]:
    return and_(
        ServiceRow.withdrawn_at.is_(None),
        ServiceRow.is_paused.is_(False),
        ProviderRow.owner_id.is_not(None),
        ProviderRow.status == ProviderStatus.APPROVED,
        is_visible(),
    )


_SNAPSHOT_FIELDS: Final = [
    name
    for name in ProviderSnapshot.model_fields
    if name not in {"categories", "service_names", "updated_at", "status"}
]
_SNAPSHOT_COLUMNS: Final = (
    *(getattr(ProviderRow, name) for name in _SNAPSHOT_FIELDS),
    shown_status(),
    func.coalesce(ProviderRow.updated_at, ProviderRow.created_at).label("updated_at"),
)


async def list_snapshots(tx: ReadTx, provider_ids: Collection[UUID]) -> list[ProviderSnapshot]:
    statement = select(*_SNAPSHOT_COLUMNS).where(among(ProviderRow.id, provider_ids)).order_by(ProviderRow.id)
    return await _snapshots(tx, await tx.all(statement))


async def list_snapshots_after(tx: ReadTx, provider_id: UUID | None, *, limit: int) -> list[ProviderSnapshot]:
    statement = select(*_SNAPSHOT_COLUMNS).order_by(ProviderRow.id).limit(limit)
    if provider_id is not None:
        statement = statement.where(ProviderRow.id > provider_id)
    return await _snapshots(tx, await tx.all(statement))


async def _snapshots(tx: ReadTx, rows: Sequence[Any]) -> list[ProviderSnapshot]:
    # A change between these statements raises the version, so its event delivers the next snapshot.
    ids = [row.id for row in rows]
    categories, service_names = await list_categories(tx, ids), await _list_service_names(tx, ids)
    return [
        ProviderSnapshot(**row._asdict(), categories=categories[row.id], service_names=service_names[row.id])
        for row in rows
    ]


async def _list_service_names(tx: ReadTx, provider_ids: Collection[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    offered = (ServiceRow.withdrawn_at.is_(None), ServiceRow.is_paused.is_(False))
    statement = select(ServiceRow.provider_id, ServiceRow.name).where(
        among(ServiceRow.provider_id, provider_ids), *offered
    )
    statement = statement.order_by(ServiceRow.position, ServiceRow.id)
    for provider_id, name in await tx.all(statement):
        found[provider_id].append(name)
    return found

"""Bulk creation: whole providers, each part of all of them by one statement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fairground.contracts.providers import ProviderStatus, ServiceIn
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.profiles import path_to, slug_base
from fairground.modules.providers.store.external_providers import NamesTaken
from fairground.modules.providers.store.profiles import (
    INITIAL_FIGURES,
    category_rows,
    choose_slugs,
    insert_words,
)
from fairground.modules.providers.store.services import price_columns
from fairground.modules.providers.tables import (
    ApprovalRow,
    ProviderCategoryRow,
    ProviderPrivateRow,
    ProviderRow,
    ServiceRow,
)
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.platform.db.types import among


@dataclass(frozen=True, kw_only=True)
class WholeProvider:
    """A provider that has passed the checks, as it is stored."""

    id: UUID
    owner_id: UUID
    profile: Mapping[str, Any]
    """The columns of ProviderRow that an owner fills, and the picture."""
    contact: Mapping[str, Any]
    categories: Sequence[str]
    services: Mapping[UUID, ServiceIn]
    status: ProviderStatus
    rejection_reason: str | None


async def find_owners(tx: ReadTx, owner_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the accounts that have a provider."""
    return set(await tx.scalars(select(ProviderRow.owner_id).where(among(ProviderRow.owner_id, owner_ids))))


async def insert_providers(
    tx: WriteTx, providers: Sequence[WholeProvider], *, staff_id: UUID, created_at: datetime
) -> None:
    """Insert providers with all their parts.

    Raises:
        NamesTaken: The transaction must be rolled back and repeated.
    """
    slugs = await choose_slugs(tx, [slug_base(each.profile["business_name"]) or str(each.id) for each in providers])
    # A microsecond apart, so that lists by time have the order of the providers.
    times = [created_at + timedelta(microseconds=number) for number in range(len(providers))]
    rows = [_provider_row(*each) for each in zip(providers, slugs, times, strict=True)]
    if await tx.insert_many(ProviderRow, rows) < len(rows):
        raise NamesTaken
    await tx.insert_many(ProviderPrivateRow, [_private_row(each) for each in providers])
    await insert_words(tx, {each.id: each.profile["business_name"] for each in providers})
    categories = [row for each in providers for row in category_rows(each.id, each.categories)]
    await tx.insert_many(ProviderCategoryRow, categories)
    services = [
        {"id": service_id, "provider_id": each.id, "position": position, **dict(service)}
        for each in providers
        for position, (service_id, service) in enumerate(each.services.items())
    ]
    await tx.insert_many(ServiceRow, services)
    await tx.insert_many(ApprovalRow, [row for each in providers for row in _approval_rows(each, staff_id)])


def _provider_row(provider: WholeProvider, slug: str, at: datetime) -> dict[str, Any]:
    return {
        **INITIAL_FIGURES,
        **provider.profile,
        **price_columns(provider.services.values()),
        "id": provider.id,
        "slug": slug,
        "owner_id": provider.owner_id,
        "status": provider.status,
        "created_at": at,
        "submitted_at": None if provider.status is ProviderStatus.DRAFT else at,
    }


def _private_row(provider: WholeProvider) -> dict[str, Any]:
    return {"provider_id": provider.id, **provider.contact, "rejection_reason": provider.rejection_reason}


def _approval_rows(provider: WholeProvider, staff_id: UUID) -> list[dict[str, Any]]:
    return [
        {
            "id": uuid7(),
            "provider_id": provider.id,
            "actor_id": provider.owner_id if to is ProviderStatus.SUBMITTED else staff_id,
            "from_status": before,
            "to_status": to,
            "reason": provider.rejection_reason if to is ProviderStatus.REJECTED else None,
        }
        for before, to in pairwise(path_to(provider.status))
    ]

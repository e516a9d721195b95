"""Which provider a caller means and may change, and what follows from each change."""

from uuid import UUID

from fairground.contracts.providers import (
    SLUG_PATTERN,
    ProviderNotFound,
    ProviderRef,
    ProvidersChanged,
    ProviderStatus,
    VerticalUnknown,
    provider_tag,
)
from fairground.modules.providers.store import profiles
from fairground.modules.providers.store.profiles import OwnRecord
from fairground.platform.db.database import ReadTx, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical


def get_pack(verticals: Verticals, key: str) -> Vertical:
    pack = verticals.find(key)
    if pack is None:
        raise VerticalUnknown(f"There is no vertical {key!r}.", field="vertical")
    return pack


def not_found(provider: UUID | str) -> ProviderNotFound:
    return ProviderNotFound(f"There is no provider {provider}.")


def read_name(id_or_slug: str) -> tuple[UUID | None, str]:
    """Return the id, if it is one, and the slug that it is otherwise; raise ProviderNotFound when it is neither."""
    try:
        return UUID(id_or_slug), id_or_slug
    except ValueError:
        pass
    # A text that is no slug needs no lookup, and PostgreSQL refuses a NUL.
    if not SLUG_PATTERN.fullmatch(id_or_slug):
        raise not_found(repr(id_or_slug))
    return None, id_or_slug


async def lock_provider(tx: WriteTx, provider_id: UUID) -> ProviderRef:
    """Lock a provider, or raise ProviderNotFound."""
    provider = await profiles.lock_provider(tx, provider_id)
    if provider is None:
        raise not_found(provider_id)
    return provider


async def lock_owned(tx: WriteTx, provider_id: UUID, *, owner_id: UUID) -> ProviderRef:
    """Lock a provider, or raise ProviderNotFound when it is not the owner's: other profiles do not show."""
    provider = await profiles.lock_provider(tx, provider_id)
    if provider is None or provider.owner_id != owner_id:
        raise not_found(provider_id)
    return provider


async def get_ref_owned_by(tx: ReadTx, owner_id: UUID) -> ProviderRef:
    provider = await profiles.find_ref_owned_by(tx, owner_id)
    if provider is None:
        raise ProviderNotFound(
            "This account has no profile.", hint="Create one: POST /api/v1/service-provider-profiles."
        )
    return provider


async def get_record(tx: ReadTx, provider_id: UUID) -> OwnRecord:
    record = await profiles.find_own(tx, provider_id)
    if record is None:
        raise not_found(provider_id)
    return record


async def announce(tx: WriteTx, provider: ProviderRef) -> None:
    """Invalidate the provider's page and tell read models of a change in this transaction.

    Nothing shows a provider before its approval, and an approved one stays approved.
    """
    if provider.status is ProviderStatus.APPROVED:
        tx.invalidate(provider_tag(provider.id), provider_tag(provider.slug))
        version = await profiles.raise_version(tx, provider.id)
        await tx.emit(ProvidersChanged(versions={provider.id: version}))

"""Providers that another system describes, written many at a time until their owners claim them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from fairground.contracts.providers import (
    IMPORT_MAX_ROWS,
    ExportedProvider,
    ExternalOutcome,
    ExternalProvider,
    ProfileInvalid,
    ProvidersChanged,
    ProvidersImported,
    ServiceIn,
)
from fairground.contracts.providers.tags import ALL_PROVIDERS
from fairground.kernel.clock import Clock
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.providers.domain.checks import (
    check_categories,
    check_external_id,
    check_place,
    check_profile,
    check_service,
)
from fairground.modules.providers.service.access import get_pack
from fairground.modules.providers.store import external_providers, profiles
from fairground.modules.providers.store.external_providers import Listing, NamesTaken
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Vertical


class ExternalProviderService:
    """Writes steps of external providers."""

    def __init__(self, *, db: Database, verticals: Verticals, clock: Clock, currency: str) -> None:
        self._db = db
        self._verticals = verticals
        self._clock = clock
        self._currency = currency
        # Concurrent steps are checked concurrently and written one after another.
        self._writing = asyncio.Lock()

    async def put_providers(
        self, *, vertical: str, source: str, providers: Sequence[ExternalProvider], fingerprints: Mapping[str, str]
    ) -> ExternalOutcome:
        pack = get_pack(self._verticals, vertical)
        _require_step(providers)
        listings = [self._listing(pack, each, fingerprint=fingerprints[each.external_id]) for each in providers]
        async with self._writing:
            while True:
                try:
                    return await self._write_step(vertical=vertical, source=source, listings=listings)
                except NamesTaken:
                    # Another transaction has committed a name that this one chose; the next attempt sees it.
                    continue

    async def list_exported_after(self, *, after: UUID | None, limit: int) -> list[ExportedProvider]:
        async with self._db.read() as tx:
            return await external_providers.list_exported_after(tx, after, limit=limit)

    async def _write_step(self, *, vertical: str, source: str, listings: Sequence[Listing]) -> ExternalOutcome:
        external_ids = [listing.external_id for listing in listings]
        async with self._db.write() as tx:
            known = await external_providers.find_known(tx, source=source, external_ids=external_ids)
            made = {uuid7(): listing for listing in listings if listing.external_id not in known}
            changed: dict[UUID, Listing] = {}
            for listing in listings:
                before = known.get(listing.external_id)
                if before and not before.is_claimed and before.external_hash != listing.external_hash:
                    changed[before.provider_id] = listing
            if made or changed:
                versions = await self._write(tx, made, changed, source=source)
                await tx.emit(ProvidersChanged(versions=versions))
                await tx.emit(ProvidersImported(vertical=vertical, source=source, provider_ids=[*made, *changed]))
        unclaimed = {external_id: each.provider_id for external_id, each in known.items() if not each.is_claimed}
        return ExternalOutcome(
            created=len(made),
            updated=len(changed),
            unchanged=len(listings) - len(made) - len(changed),
            unclaimed=unclaimed | {listing.external_id: provider_id for provider_id, listing in made.items()},
        )

    async def _write(
        self, tx: WriteTx, made: Mapping[UUID, Listing], changed: Mapping[UUID, Listing], *, source: str
    ) -> dict[UUID, int]:
        """Write providers; return the version of each."""
        versions = dict.fromkeys(made, 1)
        if changed:
            await external_providers.update_listings(tx, changed, updated_at=self._clock.now())
            versions |= await profiles.raise_versions(tx, changed)
            # Their pages alone would be a thousand tags; new providers have no page yet that could be cached.
            tx.invalidate(ALL_PROVIDERS)
        if made:
            await external_providers.insert_listings(tx, made, source=source, created_at=self._clock.now())
        return versions

    def _listing(self, pack: Vertical, provider: ExternalProvider, *, fingerprint: str) -> Listing:
        try:
            return Listing(
                external_id=check_external_id(provider.external_id),
                external_hash=fingerprint,
                profile=_profile(pack, provider),
                categories=check_categories(pack, provider.categories),
                services=self._services(pack, provider),
            )
        except Invalid as error:
            raise type(error)(f"{provider.external_id}: {error.detail}", hint=error.hint, **error.context) from error

    def _services(self, pack: Vertical, provider: ExternalProvider) -> list[ServiceIn]:
        found = provider.services or self._one_service(pack, provider)
        return [check_service(pack, service, currency=self._currency) for service in found]

    def _one_service(self, pack: Vertical, provider: ExternalProvider) -> list[ServiceIn]:
        """Return the one service of an imported row, filled up from the pack where the row says nothing."""
        if provider.price_minor is None:
            return []
        category = pack.find_category(provider.categories[0])
        service = ServiceIn(
            name=provider.service_name or (category.name if category else pack.title),
            category=provider.categories[0],
            price_minor=provider.price_minor,
            currency=self._currency,
            duration_minutes=provider.duration_minutes or pack.booking.duration_minutes[0],
            booking_mode=provider.booking_mode,
        )
        return [service]


def _require_step(providers: Sequence[ExternalProvider]) -> None:
    if len(providers) > IMPORT_MAX_ROWS:
        raise ProfileInvalid(f"One step imports at most {IMPORT_MAX_ROWS} rows, not {len(providers)}.")
    twice = [key for key, times in Counter(provider.external_id for provider in providers).items() if times > 1]
    if twice:
        raise ProfileInvalid(f"{twice[0]}: the external id stands in this step twice.", field="external_id")


def _profile(pack: Vertical, provider: ExternalProvider) -> dict[str, object]:
    check_place(provider.lat, provider.lng)
    columns = {"business_name", "custom_subtitle", "bio", "location", "lat", "lng", "timezone"}
    return check_profile(provider.model_dump(include=columns)) | {"vertical": pack.key}

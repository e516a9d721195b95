"""External providers: an import writes them in steps, until their owners claim them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from fairground.contracts.providers import (
    ALL_PROVIDERS,
    IMPORT_MAX_ROWS,
    ExportedProvider,
    ExternalOutcome,
    ExternalProvider,
    ProfileInvalid,
    ProvidersChanged,
    ProvidersImported,
    ServiceIn,
)
from fairground.contracts.providers.service_rules import Grounds, check_service
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.kernel.zones import Clock
from fairground.modules.providers.domain.profiles import (
    check_categories,
    check_contact_email,
    check_external_id,
    check_place,
    check_profile,
)
from fairground.modules.providers.service.access import get_pack
from fairground.modules.providers.store import external_providers, profiles
from fairground.modules.providers.store.external_providers import CheckedProvider, NamesTaken
from fairground.platform.db.database import Database, WriteTx
from fairground.verticals.loader import Verticals
from fairground.verticals.schema import Place, Vertical


class ExternalProviderService:
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
        _check_step(providers)
        checked = [self._check(pack, each, fingerprint=fingerprints[each.external_id]) for each in providers]
        async with self._writing:
            while True:
                try:
                    return await self._write_step(vertical=vertical, source=source, checked=checked)
                except NamesTaken:
                    # Another transaction has committed one of these slugs or external ids; the next attempt reads it.
                    continue

    async def list_exported_after(self, *, after: UUID | None, limit: int) -> list[ExportedProvider]:
        async with self._db.read() as tx:
            return await external_providers.list_exported_after(tx, after, limit=limit)

    async def _write_step(self, *, vertical: str, source: str, checked: Sequence[CheckedProvider]) -> ExternalOutcome:
        external_ids = [provider.external_id for provider in checked]
        async with self._db.write() as tx:
            known = await external_providers.find_known(tx, source=source, external_ids=external_ids)
            created = {uuid7(): provider for provider in checked if provider.external_id not in known}
            changed: dict[UUID, CheckedProvider] = {}
            for provider in checked:
                before = known.get(provider.external_id)
                if before and not before.is_claimed and before.external_hash != provider.external_hash:
                    changed[before.provider_id] = provider
            if created or changed:
                versions = await self._write(tx, created, changed, source=source)
                await tx.emit(ProvidersChanged(versions=versions))
                await tx.emit(ProvidersImported(vertical=vertical, source=source, provider_ids=[*created, *changed]))
        unclaimed = {external_id: each.provider_id for external_id, each in known.items() if not each.is_claimed}
        return ExternalOutcome(
            created=len(created),
            updated=len(changed),
            unchanged=len(checked) - len(created) - len(changed),
            unclaimed=unclaimed | {provider.external_id: provider_id for provider_id, provider in created.items()},
            updated_ids=frozenset(changed),
        )

    async def _write(
        self,
        tx: WriteTx,
        created: Mapping[UUID, CheckedProvider],
        changed: Mapping[UUID, CheckedProvider],
        *,
        source: str,
    ) -> dict[UUID, int]:
        """Write providers; return the version of each."""
        versions = dict.fromkeys(created, 1)
        if changed:
            await external_providers.update_providers(tx, changed, updated_at=self._clock.now())
            versions |= await profiles.raise_versions(tx, changed)
            # One tag instead of two for each of up to 500 providers. No page of a new provider can be cached yet.
            tx.invalidate(ALL_PROVIDERS)
        if created:
            await external_providers.insert_providers(tx, created, source=source, created_at=self._clock.now())
        return versions

    def _check(self, pack: Vertical, provider: ExternalProvider, *, fingerprint: str) -> CheckedProvider:
        try:
            return CheckedProvider(
                external_id=check_external_id(provider.external_id),
                external_hash=fingerprint,
                profile=_profile(pack, provider),
                categories=check_categories(pack, provider.categories),
                services=self._services(pack, provider),
                contact_email=check_contact_email(provider.contact_email),
            )
        except Invalid as error:
            raise type(error)(f"{provider.external_id}: {error.detail}", hint=error.hint, **error.context) from error

    def _services(self, pack: Vertical, provider: ExternalProvider) -> list[ServiceIn]:
        found = provider.services or self._one_service(pack, provider)
        # Its owner fills in an address and meeting details after claiming it; until then it cannot be booked.
        grounds = Grounds(
            categories=check_categories(pack, provider.categories),
            has_address=True,
            has_meeting_details=True,
            has_coordinates=provider.lat is not None,
        )
        placed = [
            service if service.places else service.model_copy(update={"places": _usual_places(pack)})
            for service in found
        ]
        return [check_service(pack, service, grounds=grounds, currency=self._currency) for service in placed]

    def _one_service(self, pack: Vertical, provider: ExternalProvider) -> list[ServiceIn]:
        """Return the one service of an external provider; defaults of the pack replace the fields that are None."""
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


def _usual_places(pack: Vertical) -> list[Place]:
    """Return the places that need nothing of a profile, or where there is none the most usual one."""
    return [place for place in pack.booking.places if place == "customer"] or [pack.booking.places[0]]


def _check_step(providers: Sequence[ExternalProvider]) -> None:
    if len(providers) > IMPORT_MAX_ROWS:
        raise ProfileInvalid(f"One step imports at most {IMPORT_MAX_ROWS} rows, not {len(providers)}.")
    twice = [key for key, times in Counter(provider.external_id for provider in providers).items() if times > 1]
    if twice:
        raise ProfileInvalid(f"{twice[0]}: the external id occurs twice in this step.", field="external_id")


def _profile(pack: Vertical, provider: ExternalProvider) -> dict[str, object]:
    check_place(provider.lat, provider.lng)
    columns = {"business_name", "custom_subtitle", "bio", "location", "lat", "lng", "timezone"}
    return check_profile(provider.model_dump(include=columns)) | {"vertical": pack.key}

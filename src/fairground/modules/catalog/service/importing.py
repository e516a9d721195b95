"""Imports: rows from elsewhere become providers that nobody has claimed yet."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from fairground.contracts.catalog import (
    IMPORT_MAX_ROWS,
    ImportedProvider,
    ImportOutcome,
    ProfileInvalid,
    ProvidersImported,
    ServiceIn,
)
from fairground.contracts.catalog.tags import ALL_PROVIDERS
from fairground.kernel.errors import Invalid
from fairground.modules.catalog.domain.checks import (
    check_categories,
    check_external_id,
    check_place,
    check_profile,
    check_service,
)
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.store import imports
from fairground.modules.catalog.store.imports import Listing, NamesTaken
from fairground.verticals.schema import Vertical


class Importing(CatalogBase):
    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        pack = self._pack(vertical)
        _require_step(providers)
        listings = [self._listing(pack, provider) for provider in providers]
        while True:
            try:
                return await self._write_step(vertical=vertical, source=source, listings=listings)
            except NamesTaken:
                # Another transaction has committed what we wanted to write; the next turn sees it.
                continue

    async def _write_step(self, *, vertical: str, source: str, listings: Sequence[Listing]) -> ImportOutcome:
        external_ids = [listing.external_id for listing in listings]
        async with self._db.write() as tx:
            known = await imports.find_known(tx, source=source, external_ids=external_ids)
            new = [listing for listing in listings if listing.external_id not in known]
            changed: dict[UUID, Listing] = {}
            for listing in listings:
                before = known.get(listing.external_id)
                if before and not before.is_claimed and before.external_hash != listing.external_hash:
                    changed[before.provider_id] = listing
            now = self._clock.now()
            made = await imports.insert_listings(tx, new, source=source, created_at=now) if new else {}
            if changed:
                await imports.update_listings(tx, changed, updated_at=now)
            if made or changed:
                ids = [*made, *changed]
                await self._list_anew(tx, *ids)
                tx.touch(ALL_PROVIDERS)
                await tx.emit(ProvidersImported(vertical=vertical, source=source, provider_ids=ids))
        unchanged = len(listings) - len(made) - len(changed)
        return ImportOutcome(created=len(made), updated=len(changed), unchanged=unchanged)

    def _listing(self, pack: Vertical, provider: ImportedProvider) -> Listing:
        try:
            return Listing(
                external_id=check_external_id(provider.external_id),
                external_hash=_hash(pack, provider, currency=self._settings.currency),
                profile=_profile(pack, provider),
                categories=check_categories(pack, provider.categories),
                service=self._service(pack, provider),
            )
        except Invalid as error:
            raise type(error)(f"{provider.external_id}: {error.detail}", hint=error.way_out, **error.context) from error

    def _service(self, pack: Vertical, provider: ImportedProvider) -> ServiceIn | None:
        """Return the one service of an imported row, filled up from the pack where the row says nothing."""
        if provider.price_minor is None:
            return None
        category = pack.find_category(provider.categories[0])
        service = ServiceIn(
            name=provider.service_name or (category.name if category else pack.title),
            category=provider.categories[0],
            price_minor=provider.price_minor,
            currency=self._settings.currency,
            duration_minutes=provider.duration_minutes or pack.booking.duration_minutes[0],
            booking_mode=provider.booking_mode,
        )
        return check_service(pack, service, currency=self._settings.currency)


def _require_step(providers: Sequence[ImportedProvider]) -> None:
    if len(providers) > IMPORT_MAX_ROWS:
        raise ProfileInvalid(f"One step imports at most {IMPORT_MAX_ROWS} rows, not {len(providers)}.")
    twice = [key for key, times in Counter(provider.external_id for provider in providers).items() if times > 1]
    if twice:
        raise ProfileInvalid(f"{twice[0]}: the external id stands in this step twice.", field="external_id")


def _profile(pack: Vertical, provider: ImportedProvider) -> dict[str, object]:
    check_place(provider.lat, provider.lng)
    columns = {"business_name", "custom_subtitle", "bio", "location", "lat", "lng", "timezone"}
    return check_profile(provider.model_dump(include=columns)) | {"vertical": pack.key}


def _hash(pack: Vertical, provider: ImportedProvider, *, currency: str) -> str:
    """Return a digest of all that the row decides, so that the same row again is known to change nothing."""
    return hashlib.sha256(f"{pack.key}\n{currency}\n{provider.model_dump_json()}".encode()).hexdigest()

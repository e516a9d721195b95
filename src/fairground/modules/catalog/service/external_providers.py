"""Providers that another system describes, written many at a time until their owners claim them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from fairground.contracts.catalog import (
    IMPORT_MAX_ROWS,
    ExternalOutcome,
    ExternalProvider,
    ProfileInvalid,
    ProvidersImported,
    ServiceIn,
)
from fairground.contracts.catalog.tags import ALL_PROVIDERS
from fairground.kernel.errors import Invalid
from fairground.kernel.ids import uuid7
from fairground.modules.catalog.domain.checks import (
    check_categories,
    check_external_id,
    check_place,
    check_profile,
    check_service,
)
from fairground.modules.catalog.domain.search.documents import Document, describe
from fairground.modules.catalog.domain.words import fold
from fairground.modules.catalog.service.base import CatalogBase
from fairground.modules.catalog.store import external_providers, list_entries
from fairground.modules.catalog.store.external_providers import Listing, NamesTaken
from fairground.modules.catalog.store.locations import learn_locations
from fairground.modules.catalog.store.search.indexing import describe_anew
from fairground.platform.db.database import WriteTx
from fairground.verticals.schema import Vertical


class ExternalProviderService(CatalogBase):
    """Writes steps of external providers."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        # Concurrent steps are checked concurrently and written one after another.
        self._writing = asyncio.Lock()

    async def put_providers(self, *, vertical: str, source: str, providers: list[ExternalProvider]) -> ExternalOutcome:
        pack = self._pack(vertical)
        _require_step(providers)
        listings = [self._listing(pack, provider) for provider in providers]
        async with self._writing:
            while True:
                try:
                    return await self._write_step(vertical=vertical, source=source, listings=listings)
                except NamesTaken:
                    # Another transaction has committed a name that this one chose; the next attempt sees it.
                    continue

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
                await self._write(tx, made, changed, source=source)
                tx.touch(ALL_PROVIDERS)
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
    ) -> None:
        # New ones are put into words for the search while the database writes them, and not read back for it.
        described = asyncio.get_running_loop().run_in_executor(None, _describe, made)
        # Providers, locations, lists, words, each of all at once: everybody who changes a provider comes by these locks
        # in this order. In any other two of them would deadlock.
        if changed:
            await external_providers.update_listings(tx, changed, updated_at=self._clock.now())
        if made:
            await external_providers.insert_listings(tx, made, source=source, created_at=self._clock.now())
        await learn_locations(tx, {fold(each.profile["location"]) for each in (*made.values(), *changed.values())})
        documents = await described
        if made:
            await list_entries.list_new(tx, made, scale_minor=self._prices.fine_minor)
        if changed:
            await list_entries.list_anew(tx, changed, scale_minor=self._prices.fine_minor)
            documents += await describe_anew(tx, changed)
        await self._engine.put(tx, documents)

    def _listing(self, pack: Vertical, provider: ExternalProvider) -> Listing:
        try:
            return Listing(
                external_id=check_external_id(provider.external_id),
                external_hash=provider.fingerprint,
                profile=_profile(pack, provider),
                categories=check_categories(pack, provider.categories),
                service=self._service(pack, provider),
            )
        except Invalid as error:
            raise type(error)(f"{provider.external_id}: {error.detail}", hint=error.hint, **error.context) from error

    def _service(self, pack: Vertical, provider: ExternalProvider) -> ServiceIn | None:
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


def _require_step(providers: Sequence[ExternalProvider]) -> None:
    if len(providers) > IMPORT_MAX_ROWS:
        raise ProfileInvalid(f"One step imports at most {IMPORT_MAX_ROWS} rows, not {len(providers)}.")
    twice = [key for key, times in Counter(provider.external_id for provider in providers).items() if times > 1]
    if twice:
        raise ProfileInvalid(f"{twice[0]}: the external id stands in this step twice.", field="external_id")


def _describe(made: Mapping[UUID, Listing]) -> list[Document]:
    return [
        describe(
            provider_id=provider_id,
            vertical=listing.profile["vertical"],
            business_name=listing.profile["business_name"],
            location=listing.profile["location"],
            categories=listing.categories,
            services=[listing.service.name] if listing.service else [],
            texts=(listing.profile["custom_subtitle"], listing.profile["bio"]),
            price_from_minor=listing.service.price_minor if listing.service else None,
            book_count=0,
            rating_avg=0.0,
            open_days=0,
        )
        for provider_id, listing in made.items()
    ]


def _profile(pack: Vertical, provider: ExternalProvider) -> dict[str, object]:
    check_place(provider.lat, provider.lng)
    columns = {"business_name", "custom_subtitle", "bio", "location", "lat", "lng", "timezone"}
    return check_profile(provider.model_dump(include=columns)) | {"vertical": pack.key}

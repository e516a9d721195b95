"""Imports rows: providers owns the profiles, this module the pictures that came embedded in them."""

import hashlib
from collections.abc import Mapping
from uuid import UUID

from fairground.contracts.imports import ImportedProvider, ImportOutcome
from fairground.contracts.providers import ExternalProviders, Providers
from fairground.modules.imports import store
from fairground.platform.db.database import Database


class ProviderImports:
    def __init__(self, *, db: Database, providers: Providers, external: ExternalProviders) -> None:
        self._db = db
        self._providers = providers
        self._external = external

    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        currency = await self._providers.get_currency()
        fingerprints = {
            each.external_id: _fingerprint(each, vertical=vertical, currency=currency) for each in providers
        }
        step = await self._external.put_providers(
            vertical=vertical, source=source, providers=providers, fingerprints=fingerprints
        )
        pictures = await self._stage_pictures(providers, step.unclaimed)
        return ImportOutcome(created=step.created, updated=step.updated, unchanged=step.unchanged, pictures=pictures)

    async def _stage_pictures(self, providers: list[ImportedProvider], unclaimed: Mapping[str, UUID]) -> int:
        # Those of unchanged rows too: an earlier import may have died after it had written their providers.
        pictures = {
            unclaimed[provider.external_id]: provider.pictures
            for provider in providers
            if provider.pictures and provider.external_id in unclaimed
        }
        if not pictures:
            return 0
        async with self._db.write() as tx:
            return await store.stage_pictures(tx, pictures)


def _fingerprint(provider: ImportedProvider, *, vertical: str, currency: str) -> str:
    """Return a digest of the whole row, by which a repeated row is recognised as unchanged."""
    row = hashlib.sha256(f"{vertical}\n{currency}\n{provider.model_dump_json(exclude={'pictures'})}".encode())
    for picture in provider.pictures:
        row.update(f"\n{picture.place} {picture.alt}\n".encode() + picture.content)
    return row.hexdigest()

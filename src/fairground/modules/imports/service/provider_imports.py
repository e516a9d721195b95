"""Imports rows of other systems. The module `providers` owns the profiles; this one owns the pictures on their way."""

import hashlib

from fairground.contracts.imports import ImportedProvider, ImportOutcome
from fairground.contracts.providers import ExternalOutcome, ExternalProviders, Providers
from fairground.modules.imports import store
from fairground.modules.imports.service.picture_addresses import FetchPicture
from fairground.modules.imports.store import StagedPictures
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
        staged = await self._stage_pictures(providers, step)
        return ImportOutcome(
            created=step.created,
            updated=step.updated,
            unchanged=step.unchanged,
            pictures=staged.embedded,
            addresses=len(staged.to_fetch),
        )

    async def _stage_pictures(self, providers: list[ImportedProvider], step: ExternalOutcome) -> StagedPictures:
        # Those of unchanged rows too: an earlier import may have died after it had written their providers.
        pictures = {
            step.unclaimed[provider.external_id]: provider.pictures
            for provider in providers
            if provider.pictures and provider.external_id in step.unclaimed
        }
        if not pictures:
            return StagedPictures(embedded=0, to_fetch=[])
        async with self._db.write() as tx:
            staged = await store.stage_pictures(tx, pictures, changed=step.updated_ids)
            for picture_id in staged.to_fetch:
                await tx.enqueue(FetchPicture(picture_id=picture_id))
            return staged


def _fingerprint(provider: ImportedProvider, *, vertical: str, currency: str) -> str:
    """Return a digest of the whole row, by which a repeated row is recognised as unchanged."""
    # A row without the field has the digest that it had before there was one.
    unread = {"pictures"} if provider.contact_email else {"pictures", "contact_email"}
    row = hashlib.sha256(f"{vertical}\n{currency}\n{provider.model_dump_json(exclude=unread)}".encode())
    for picture in provider.pictures:
        row.update(f"\n{picture.place} {picture.alt}\n".encode() + picture.content + (picture.url or "").encode())
    return row.hexdigest()

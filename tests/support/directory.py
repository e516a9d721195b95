"""Providers, imports, lists and search on one database, as tests ask them together."""

from typing import Any

from fairground.contracts.imports import ImportedProvider, ImportOutcome
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.service.external_providers import ExternalProviderService
from fairground.modules.imports.service.provider_imports import ProviderImports


class Directory(CatalogService):
    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        shared = {name: part for name, part in parts.items() if name != "schedules"}
        self._imports = ProviderImports(db=parts["db"], providers=self, external=ExternalProviderService(**shared))

    async def import_providers(self, *, vertical: str, source: str, providers: list[ImportedProvider]) -> ImportOutcome:
        return await self._imports.import_providers(vertical=vertical, source=source, providers=providers)

"""Builds imports."""

from fairground.contracts.imports import EmbeddedPictures, Imports
from fairground.contracts.media import Pictures
from fairground.contracts.providers import ExternalProviders, Galleries, Portraits, Providers
from fairground.modules.imports import http
from fairground.modules.imports.service import MigratePictures, PictureMigrations, ProviderImports
from fairground.modules.imports.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, providers = runtime.db, links.of(Providers)
    migrations = PictureMigrations(
        db=db,
        providers=providers,
        portraits=links.of(Portraits),
        galleries=links.of(Galleries),
        pictures=links.of(Pictures),
    )
    links.provide(Imports, ProviderImports(db=db, providers=providers, external=links.of(ExternalProviders)))
    links.provide(EmbeddedPictures, migrations)
    return Module(
        name="imports",
        history=history,
        routers=[http.routes(migrations)],
        handlers={MigratePictures: migrations.on_migrate},
    )

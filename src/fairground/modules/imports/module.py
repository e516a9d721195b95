"""Builds imports."""

from fairground.contracts.imports import EmbeddedPictures, Imports
from fairground.contracts.media import PictureForms, PictureReady, PictureRefused, Pictures
from fairground.contracts.providers import ExternalProviders, Galleries, Portraits, Providers
from fairground.modules.imports import http
from fairground.modules.imports.service.picture_addresses import FetchPicture, PictureAddresses
from fairground.modules.imports.service.picture_migrations import MigratePictures, PictureMigrations
from fairground.modules.imports.service.picture_placement import PicturePlacement
from fairground.modules.imports.service.provider_imports import ProviderImports
from fairground.modules.imports.tables import history
from fairground.platform.module import Links, Module
from fairground.runtime import Runtime


def build(runtime: Runtime, links: Links) -> Module:
    db, providers, galleries = runtime.db, links.of(Providers), links.of(Galleries)
    placement = PicturePlacement(
        db=db,
        providers=providers,
        portraits=links.of(Portraits),
        galleries=galleries,
        pictures=links.of(Pictures),
    )
    migrations = PictureMigrations(db=db, galleries=galleries, placement=placement)
    addresses = PictureAddresses(
        db=db, outbound=runtime.outbound, placement=placement, max_bytes=links.of(PictureForms).max_bytes
    )
    links.provide(Imports, ProviderImports(db=db, providers=providers, external=links.of(ExternalProviders)))
    links.provide(EmbeddedPictures, migrations)
    return Module(
        name="imports",
        history=history,
        routers=[http.routes(migrations)],
        handlers={
            MigratePictures: migrations.on_migrate,
            FetchPicture: addresses.on_fetch,
            PictureReady: addresses.on_ready,
            PictureRefused: addresses.on_refused,
        },
    )

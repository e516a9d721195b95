"""JSON routes of the catalog, relative to /api/v1."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairground.contracts.catalog import Catalog, Galleries, Portraits
from fairground.modules.catalog.http import browsing, gallery, packs, profiles, searching, services
from fairground.verticals.loader import Verticals


def routes(catalog: Catalog, verticals: Verticals, portraits: Portraits, galleries: Galleries) -> Sequence[APIRouter]:
    return (
        packs.routes(catalog, verticals),
        browsing.routes(catalog, verticals),
        searching.routes(catalog, verticals),
        profiles.routes(catalog, portraits),
        services.routes(catalog),
        gallery.routes(galleries),
    )

"""JSON routes of providers, relative to /api/v1."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairground.contracts.providers import Galleries, Portraits, Providers
from fairground.modules.providers.http import gallery, packs, profiles, services
from fairground.verticals.loader import Verticals


def routes(catalog: Providers, verticals: Verticals, portraits: Portraits, galleries: Galleries) -> Sequence[APIRouter]:
    return (
        packs.routes(catalog, verticals),
        profiles.routes(catalog, portraits),
        services.routes(catalog),
        gallery.routes(galleries),
    )

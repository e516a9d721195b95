"""JSON routes of providers, relative to /api/v1."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairground.contracts.providers import Galleries, Portraits, Providers
from fairground.contracts.providers.claims import Claims
from fairground.modules.providers.http import packs
from fairground.modules.providers.http.claims import claim_routes
from fairground.modules.providers.http.pictures import gallery_routes
from fairground.modules.providers.http.profiles import profile_routes
from fairground.modules.providers.http.services import service_routes
from fairground.verticals.loader import Verticals


def routes(
    providers: Providers, verticals: Verticals, portraits: Portraits, galleries: Galleries, claims: Claims
) -> Sequence[APIRouter]:
    return (
        packs.routes(providers, verticals),
        profile_routes(providers, portraits),
        service_routes(providers),
        gallery_routes(galleries),
        claim_routes(claims),
    )

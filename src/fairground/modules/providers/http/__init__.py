"""JSON routes of providers, relative to /api/v1."""

from collections.abc import Sequence

from fastapi import APIRouter

from fairground.contracts.providers import Galleries, Portraits, Providers
from fairground.contracts.providers.claims import Claims
from fairground.contracts.providers.staff import StaffProviders
from fairground.modules.providers.http import packs
from fairground.modules.providers.http.claims import claim_routes
from fairground.modules.providers.http.moderation import moderation_routes
from fairground.modules.providers.http.pictures import gallery_routes
from fairground.modules.providers.http.profiles import profile_routes, service_routes
from fairground.verticals.loader import Verticals


def routes(
    providers: Providers,
    verticals: Verticals,
    portraits: Portraits,
    galleries: Galleries,
    claims: Claims,
    moderation: StaffProviders,
) -> Sequence[APIRouter]:
    return (
        packs.routes(providers, verticals),
        profile_routes(providers, portraits),
        service_routes(providers),
        gallery_routes(galleries),
        claim_routes(claims),
        moderation_routes(moderation),
    )

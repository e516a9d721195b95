"""The public page of a provider."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter

from fairground.contracts.providers import ProviderDetail, Providers
from fairground.contracts.providers.tags import ALL_PROVIDERS, ProviderPath, provider_tag
from fairground.platform.cache.policy import CachePolicy, cached
from fairground.platform.cache.settings import Life
from fairground.platform.http.routing import api_router


def provider_tags(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the tags of what is shown of the provider that a path names."""
    return ALL_PROVIDERS, provider_tag(asked["id_or_slug"])


def routes(catalog: Providers) -> APIRouter:
    router = api_router(tags=["providers"])

    @router.get("/service-provider-profiles/{id_or_slug}")
    @cached(CachePolicy(route="provider", life=Life.DETAILS, path=ProviderPath, tags=provider_tags))
    async def get_provider(id_or_slug: str) -> ProviderDetail:
        return await catalog.get_provider(id_or_slug=id_or_slug)

    return router

"""The pictures of a provider, one by one and large: as pages, and as parts that open above the page of the provider."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse

from fairground.contracts.providers import ALL_PROVIDERS, Galleries, ProviderPath, Providers, provider_tag
from fairground.platform.links import Links
from fairground.web.page_cache import cached_page
from fairground.web.page_route import PageNotFound, page_router
from fairground.web.site import Site


class PicturePath(ProviderPath):
    picture_id: UUID


def routes(site: Site, links: Links) -> APIRouter:
    renderer, catalog, galleries = site.renderer, links.of(Providers), links.of(Galleries)
    router = page_router(renderer)

    async def find(id_or_slug: str, picture_id: UUID) -> dict[str, Any]:
        provider = await catalog.get_provider(id_or_slug=id_or_slug)
        pictures = await galleries.list_gallery(id_or_slug=id_or_slug)
        at = next((at for at, picture in enumerate(pictures) if picture.id == picture_id), None)
        if at is None:
            raise PageNotFound(f"{provider.business_name} does not show this picture (any more).")
        return {
            "provider": provider,
            "shown": pictures[at],
            "number": at + 1,
            "count": len(pictures),
            # Behind the last comes the first again.
            "previous": pictures[at - 1],
            "following": pictures[(at + 1) % len(pictures)],
        }

    @router.get("/p/{id_or_slug}/pictures/{picture_id}")
    @cached_page(renderer, "picture", tags=_tags, path=PicturePath)
    async def show_picture(request: Request, id_or_slug: str, picture_id: UUID) -> HTMLResponse:
        return renderer.page(request, "provider/picture.html", **await find(id_or_slug, picture_id))

    @router.get("/_f/p/{id_or_slug}/pictures/{picture_id}")
    @cached_page(renderer, "picture-part", tags=_tags, path=PicturePath)
    async def show_picture_alone(id_or_slug: str, picture_id: UUID) -> HTMLResponse:
        return renderer.part("provider/_picture.html", **await find(id_or_slug, picture_id))

    return router


def _tags(asked: Mapping[str, Any]) -> tuple[str, ...]:
    return ALL_PROVIDERS, provider_tag(asked["id_or_slug"])

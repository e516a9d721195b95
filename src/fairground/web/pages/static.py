"""Serves the static files under the addresses that name their content."""

from fastapi import APIRouter
from starlette.responses import Response

from fairground.web.assets import CACHE_FOREVER, Assets


def routes(assets: Assets) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{address:path}")
    async def get_static(address: str) -> Response:
        asset = assets.get(address)
        headers = {"Cache-Control": CACHE_FOREVER, "ETag": asset.etag}
        return Response(asset.body, media_type=asset.media_type, headers=headers)

    return router

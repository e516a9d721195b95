"""Serves the static files under the addresses that name their content."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.platform.cache.codings import IDENTITY, choose_coding
from fairground.platform.http.cache_control import FOREVER
from fairground.platform.links import Links
from fairground.web.site import Site


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = APIRouter(include_in_schema=False)

    @router.get("/static/{address:path}")
    async def get_static(request: Request, address: str) -> Response:
        asset = site.assets.get(address)
        accepted = request.headers.get("accept-encoding", "").encode("latin-1")
        coding = choose_coding(accepted, size_bytes=len(asset.body)) or IDENTITY
        headers = {"Cache-Control": FOREVER, "ETag": f'"{asset.digest}-{coding}"', "Vary": "Accept-Encoding"}
        if coding != IDENTITY:
            headers["Content-Encoding"] = coding
        return Response(asset.body_in(coding), media_type=asset.media_type, headers=headers)

    return router

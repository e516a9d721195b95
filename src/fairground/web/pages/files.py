"""Files that pages load: static files at addresses that name their content, and the generated pictures of the demo."""

import re
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import FileResponse, Response

from fairground.kernel.errors import NotFound
from fairground.platform.cache.codings import IDENTITY, choose_coding
from fairground.platform.http.cache_control import FOREVER
from fairground.platform.module import Links
from fairground.web.site import Site

# A drawing is a document of its own when it is opened alone: nothing in it may run or load.
_DRAWING_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_DRAWING_NAME: Final = re.compile(r"[0-9a-f-]{36}\.svg")


class PictureNotFound(NotFound):
    code = "web.picture_not_found"


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

    @router.get("/pictures/{name}")
    async def get_demo_picture(name: str) -> FileResponse:
        file = site.pictures_dir / name
        if not _DRAWING_NAME.fullmatch(name) or not file.is_file():
            raise PictureNotFound("This picture does not exist.")
        # Drawn once for one provider, under a name that no other drawing gets.
        headers = {"Cache-Control": FOREVER, "Content-Security-Policy": _DRAWING_POLICY}
        return FileResponse(file, media_type="image/svg+xml", headers=headers)

    return router

"""Serves the generated pictures of the demo's providers."""

import re
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse

from fairground.kernel.errors import NotFound
from fairground.platform.http.cache_control import FOREVER
from fairground.platform.links import Links
from fairground.web.site import Site

# A drawing is a document of its own when it is opened alone: nothing in it may run or load.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_NAME: Final = re.compile(r"[0-9a-f-]{36}\.svg")


class PictureNotFound(NotFound):
    code = "web.picture_not_found"


def routes(site: Site, links: Links) -> APIRouter:  # noqa: ARG001 - every area is given both
    router = APIRouter(include_in_schema=False)

    @router.get("/pictures/{name}")
    async def get_picture(name: str) -> FileResponse:
        file = site.pictures_dir / name
        if not _NAME.fullmatch(name) or not file.is_file():
            raise PictureNotFound("There is no such picture.")
        # Drawn once for one provider, under a name that no other drawing gets.
        headers = {"Cache-Control": FOREVER, "Content-Security-Policy": _POLICY}
        return FileResponse(file, media_type="image/svg+xml", headers=headers)

    return router

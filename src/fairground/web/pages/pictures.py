"""Serves the generated pictures of the demo's providers."""

import re
from pathlib import Path
from typing import Final

from fastapi import APIRouter
from starlette.responses import FileResponse

from fairground.kernel.errors import NotFound
from fairground.platform.http.cache_control import FOREVER

# A drawing is a document of its own when it is opened alone: nothing in it may run or load.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_NAME: Final = re.compile(r"[0-9a-f-]{36}\.svg")


class PictureNotFound(NotFound):
    code = "web.picture_not_found"


def routes(folder: Path) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/pictures/{name}")
    async def get_picture(name: str) -> FileResponse:
        file = folder / name
        if not _NAME.fullmatch(name) or not file.is_file():
            raise PictureNotFound("There is no such picture.")
        # Drawn once for one provider, under a name that no other drawing gets.
        headers = {"Cache-Control": FOREVER, "Content-Security-Policy": _POLICY}
        return FileResponse(file, media_type="image/svg+xml", headers=headers)

    return router

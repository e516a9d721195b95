"""What all pages of staff have in common: they are stored nowhere, and their navigation knows what waits."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from fastapi import Request
from starlette.responses import Response

from fairground.contracts.imports import EmbeddedPictures, PictureSubject
from fairground.platform.http.identity import Caller
from fairground.platform.module import Links
from fairground.web.page_cache import UNSTORED
from fairground.web.rendering import Renderer
from fairground.web.site import Site


@dataclass(frozen=True, kw_only=True, slots=True)
class AdminPages:
    renderer: Renderer
    embedded: EmbeddedPictures

    async def page(
        self, request: Request, caller: Caller, template: str, *, status: int = HTTPStatus.OK, **values: Any
    ) -> Response:
        """Render a template that extends `admin/_frame.html`."""
        return self.renderer.page(
            request,
            template,
            status=status,
            headers=UNSTORED,
            viewer=caller,
            has_imports=await self._has_imports(),
            **values,
        )

    async def _has_imports(self) -> bool:
        """Return whether embedded pictures wait to become files."""
        for subject in PictureSubject:
            if await self.embedded.count_waiting(subject=subject):
                return True
        return False


def admin_pages(site: Site, links: Links) -> AdminPages:
    return AdminPages(renderer=site.renderer, embedded=links.of(EmbeddedPictures))

"""The page of staff that makes files of embedded pictures."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.imports import PictureMigration, PictureSubject
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import AdminPages, admin_pages
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site


def routes(site: Site, links: Links) -> APIRouter:
    router = page_router(site.renderer)
    _add_migrations(router, admin_pages(site, links))
    return router


def _add_migrations(router: APIRouter, pages: AdminPages) -> None:
    embedded = pages.embedded

    async def read_progress(subject: PictureSubject) -> tuple[PictureSubject, int, PictureMigration | None]:
        waiting = await embedded.count_waiting(subject=subject)
        return subject, waiting, await embedded.find_latest_migration(subject=subject)

    @router.get("/admin/migrations")
    async def show_migrations(request: Request, caller: Staff) -> Response:
        subjects = [await read_progress(subject) for subject in PictureSubject]
        return await pages.page(request, caller, "migrations/page.html", subjects=subjects)

    @router.post("/admin/migrations/{subject}")
    async def start_migration(caller: Staff, subject: PictureSubject) -> Response:
        await embedded.start_migration(subject=subject, actor=caller.user_id)
        return see_other(f"/admin/migrations#{subject}")

    @router.get("/_f/admin/migrations/{subject}")
    async def show_migration(_caller: Staff, subject: PictureSubject) -> Response:
        _, waiting, run = await read_progress(subject)
        return pages.renderer.part("migrations/_run.html", headers=UNSTORED, subject=subject, waiting=waiting, run=run)

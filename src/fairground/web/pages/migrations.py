"""The staff's page that makes embedded pictures into files: what waits, and how a run goes or went."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.imports import EmbeddedPictures, PictureMigration, PictureSubject
from fairground.platform.http.identity import Staff
from fairground.platform.links import Links
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import UNSTORED
from fairground.web.site import Site


def routes(site: Site, links: Links) -> APIRouter:
    renderer, embedded = site.renderer, links.of(EmbeddedPictures)
    router = page_router(renderer)

    async def standing(subject: PictureSubject) -> tuple[PictureSubject, int, PictureMigration | None]:
        waiting = await embedded.count_waiting(subject=subject)
        return subject, waiting, await embedded.find_latest_migration(subject=subject)

    @router.get("/admin/migrations")
    async def show(request: Request, caller: Staff) -> Response:
        subjects = [await standing(subject) for subject in PictureSubject]
        return renderer.page(request, "migrations/page.html", headers=UNSTORED, viewer=caller, subjects=subjects)

    @router.post("/admin/migrations/{subject}")
    async def start(caller: Staff, subject: PictureSubject) -> Response:
        await embedded.start_migration(subject=subject, actor=f"user {caller.user_id}")
        return see_other(f"/admin/migrations#{subject}")

    @router.get("/_f/admin/migrations/{subject}")
    async def show_run(_caller: Staff, subject: PictureSubject) -> Response:
        _, waiting, run = await standing(subject)
        return renderer.part("migrations/_run.html", headers=UNSTORED, subject=subject, waiting=waiting, run=run)

    return router

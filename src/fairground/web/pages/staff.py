"""The pages of staff: what waits for approval, and migration of embedded pictures into files."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.imports import PictureMigration, PictureSubject
from fairground.contracts.providers import Providers
from fairground.contracts.providers.claims import Claims
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import AdminPages, admin_pages
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

QUEUE_LENGTH: Final = 100


class Reason(FormModel):
    reason: str


def routes(site: Site, links: Links) -> APIRouter:
    router = page_router(site.renderer)
    _add_approvals(router, site, providers=links.of(Providers), claims=links.of(Claims))
    _add_migrations(router, admin_pages(site, links))
    return router


def _add_approvals(router: APIRouter, site: Site, *, providers: Providers, claims: Claims) -> None:
    renderer = site.renderer

    async def show(request: Request, caller: Caller, *, provider_id: UUID, form: Form, status: int = 200) -> Response:
        own = await providers.get_provider_for_review(provider_id=provider_id)
        return renderer.page(
            request,
            "approvals/provider.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            own=own,
            pack=site.verticals.find(own.vertical),
            form=form,
        )

    @router.get("/admin/approvals")
    async def list_submitted(request: Request, caller: Staff) -> Response:
        queue = await providers.list_submitted(limit=QUEUE_LENGTH)
        claimed = await claims.list_waiting_claims(limit=QUEUE_LENGTH)
        return renderer.page(
            request, "approvals/queue.html", headers=UNSTORED, viewer=caller, queue=queue, claims=claimed
        )

    @router.get("/admin/approvals/{provider_id}")
    async def show_submitted(request: Request, caller: Staff, provider_id: UUID) -> Response:
        return await show(request, caller, provider_id=provider_id, form=Form())

    @router.post("/admin/approvals/{provider_id}/approve")
    async def approve(request: Request, caller: Staff, provider_id: UUID) -> Response:
        try:
            await providers.approve_provider(staff_id=caller.user_id, provider_id=provider_id)
        except DomainError as refusal:
            return await show(request, caller, provider_id=provider_id, form=Form().refused(refusal), status=422)
        return see_other("/admin/approvals")

    @router.post("/admin/approvals/{provider_id}/reject")
    async def reject(request: Request, caller: Staff, provider_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await providers.reject_provider(staff_id=caller.user_id, provider_id=provider_id, reason=reason)
        except DomainError as refusal:
            return await show(request, caller, provider_id=provider_id, form=form.refused(refusal), status=422)
        return see_other("/admin/approvals")


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

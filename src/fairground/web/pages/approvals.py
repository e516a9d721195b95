"""Staff approvals: submitted profiles, each with its checklist."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.providers import Providers
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.links import Links
from fairground.web.forms import Answers, Form, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import UNSTORED
from fairground.web.site import Site

QUEUE_LENGTH: Final = 100


class Reason(Answers):
    reason: str


def routes(site: Site, links: Links) -> APIRouter:
    renderer, catalog, verticals = site.renderer, links.of(Providers), site.verticals
    router = page_router(renderer)

    async def show(request: Request, caller: Caller, *, provider_id: UUID, form: Form, status: int = 200) -> Response:
        own = await catalog.get_provider_for_review(provider_id=provider_id)
        return renderer.page(
            request,
            "approvals/provider.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            own=own,
            pack=verticals.find(own.vertical),
            form=form,
        )

    @router.get("/admin/approvals")
    async def list_submitted(request: Request, caller: Staff) -> Response:
        queue = await catalog.list_submitted(limit=QUEUE_LENGTH)
        return renderer.page(request, "approvals/queue.html", headers=UNSTORED, viewer=caller, queue=queue)

    @router.get("/admin/approvals/{provider_id}")
    async def show_submitted(request: Request, caller: Staff, provider_id: UUID) -> Response:
        return await show(request, caller, provider_id=provider_id, form=Form())

    @router.post("/admin/approvals/{provider_id}/approve")
    async def approve(request: Request, caller: Staff, provider_id: UUID) -> Response:
        try:
            await catalog.approve_provider(staff_id=caller.user_id, provider_id=provider_id)
        except DomainError as refusal:
            return await show(request, caller, provider_id=provider_id, form=Form().refused(refusal), status=422)
        return see_other("/admin/approvals")

    @router.post("/admin/approvals/{provider_id}/reject")
    async def reject(request: Request, caller: Staff, provider_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await catalog.reject_provider(staff_id=caller.user_id, provider_id=provider_id, reason=reason)
        except DomainError as refusal:
            return await show(request, caller, provider_id=provider_id, form=form.refused(refusal), status=422)
        return see_other("/admin/approvals")

    return router

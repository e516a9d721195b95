"""The page of staff about reviews: the newest ones, and forms to hide and restore each."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.providers import ProviderNotFound, Providers
from fairground.contracts.reviews import StaffReviews
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.module import Links
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.site import Site

PAGE_LENGTH: Final = 50
PATH: Final = "/admin/reviews"
STATES: Final = {"hidden": True, "shown": False}


class Reason(FormModel):
    reason: str


def routes(site: Site, links: Links) -> APIRouter:
    router, staff_reviews, providers = page_router(site.renderer), links.of(StaffReviews), links.of(Providers)

    async def find_provider(slug: str) -> UUID | None:
        try:
            return (await providers.get_provider(id_or_slug=slug)).id
        except ProviderNotFound:
            return None

    async def show(
        request: Request, caller: Caller, *, refused: Form | None = None, at: UUID | None = None, status: int = 200
    ) -> Response:
        query = request.query_params
        slug, state = query.get("provider", "").strip(), query.get("state", "")
        provider_id = await find_provider(slug) if slug else None
        values: dict[str, Any] = {"data": [], "next_cursor": None}
        if provider_id is not None or not slug:
            page = await staff_reviews.list_reviews(
                staff_id=caller.user_id,
                provider_id=provider_id,
                is_hidden=STATES.get(state),
                cursor=query.get("cursor") or None,
                limit=PAGE_LENGTH,
            )
            values = dict(page)
        refs = await providers.get_provider_refs(provider_ids={each.provider_id for each in values["data"]})
        asked = {"provider": slug, "state": state if state in STATES else ""}
        following = urlencode({**asked, "cursor": values["next_cursor"]}) if values["next_cursor"] else None
        return site.renderer.page(
            request,
            "reviews/page.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            reviews=values["data"],
            refs=refs,
            search=Form(values=asked),
            form=refused or Form(),
            at=at,
            done=query.get("done"),
            following=following,
        )

    @router.get(PATH)
    async def list_reviews(request: Request, caller: Staff) -> Response:
        return await show(request, caller)

    @router.post(f"{PATH}/{{review_id}}/hide")
    async def hide_review(request: Request, caller: Staff, review_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await staff_reviews.hide_review(staff_id=caller.user_id, review_id=review_id, reason=reason)
        except DomainError as refusal:
            return await show(request, caller, refused=form.refused(refusal), at=review_id, status=422)
        return see_other(f"{PATH}?done=hidden")

    @router.post(f"{PATH}/{{review_id}}/restore")
    async def restore_review(request: Request, caller: Staff, review_id: UUID) -> Response:
        try:
            await staff_reviews.restore_review(staff_id=caller.user_id, review_id=review_id)
        except DomainError as refusal:
            return await show(request, caller, refused=Form().refused(refusal), at=review_id, status=422)
        return see_other(f"{PATH}?done=restored")

    return router

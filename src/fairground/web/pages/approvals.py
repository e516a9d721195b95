"""The pages of staff about providers: what waits for approval, all of one provider, and what staff do with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import OwnGalleryPicture, ProfileInvalid, Providers, ProviderStatus
from fairground.contracts.providers.claims import Claims
from fairground.contracts.providers.staff import StaffProvider, StaffProviders
from fairground.kernel.errors import DomainError
from fairground.kernel.zones import Clock
from fairground.platform.http.identity import Caller, Staff
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.addresses import PageNotFound, read_id
from fairground.web.formats import date_in
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.hours_form import WEEKDAYS
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import page_router, see_other
from fairground.web.rendering import Renderer
from fairground.web.site import Site

QUEUE_LENGTH: Final = 100
DECIDED_LENGTH: Final = 20
PAGE_LENGTH: Final = 50
PATH: Final = "/admin/approvals"
DONE: Final = ("suspended", "restored", "hidden", "shown")


class Reason(FormModel):
    reason: str


class PictureReason(FormModel):
    picture_reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ProviderReview:
    """The page that shows staff all of a provider, with the forms to decide, to suspend and to hide pictures."""

    renderer: Renderer
    verticals: Verticals
    clock: Clock
    staff_providers: StaffProviders
    accounts: Accounts
    bookings: Bookings

    async def show(
        self, request: Request, caller: Caller, provider_id: UUID, *, form: Form | None = None, status: int = 200
    ) -> Response:
        seen = await self.staff_providers.get_provider_for_staff(staff_id=caller.user_id, provider_id=provider_id)
        own, done = seen.provider, request.query_params.get("done")
        rules = await self.bookings.get_rules(provider_id=provider_id)
        today = date_in(self.clock.now(), own.timezone)
        actors = await self.accounts.find_users(user_ids={step.actor_id for step in seen.history})
        return self.renderer.page(
            request,
            "approvals/provider.html",
            status=status,
            headers=UNSTORED,
            viewer=caller,
            seen=seen,
            own=own,
            gallery=_ready(seen),
            pack=self.verticals.find(own.vertical),
            rules=rules,
            days=[(name, _hours_on(rules.weekly, weekday)) for weekday, name in self._day_names().items()],
            exceptions=[each for each in rules.exceptions if each.date >= today],
            time_off=[each for each in rules.time_off if each.to_date >= today],
            actors={user_id: user.name for user_id, user in actors.items()},
            done=done if done in DONE else None,
            form=form or Form(),
        )

    def _day_names(self) -> Mapping[int, str]:
        names = self.renderer.locale.days["stand-alone"]["wide"]
        return {weekday: str(names[weekday]) for weekday in WEEKDAYS}

    async def load_picture(self, caller: Caller, provider_id: UUID, picture_id: UUID) -> dict[str, Any]:
        seen = await self.staff_providers.get_provider_for_staff(staff_id=caller.user_id, provider_id=provider_id)
        pictures = _ready(seen)
        place = next((index for index, each in enumerate(pictures) if each.id == picture_id), None)
        if place is None:
            raise PageNotFound("There is no such picture.")
        return {
            "provider": seen.provider,
            "shown": pictures[place],
            "number": place + 1,
            "count": len(pictures),
            "previous": pictures[place - 1],
            "following": pictures[(place + 1) % len(pictures)],
            "base": f"{PATH}/{provider_id}",
        }


def _ready(seen: StaffProvider) -> list[OwnGalleryPicture]:
    return [each for each in seen.gallery if each.url is not None]


def _hours_on(weekly: Any, weekday: int) -> list[tuple[Any, Any]]:
    return [(each.start, each.end) for each in weekly if each.weekday == weekday]


def routes(site: Site, links: Links) -> APIRouter:
    review = ProviderReview(
        renderer=site.renderer,
        verticals=site.verticals,
        clock=site.clock,
        staff_providers=links.of(StaffProviders),
        accounts=links.of(Accounts),
        bookings=links.of(Bookings),
    )
    router = page_router(site.renderer)
    _add_lists(router, review, providers=links.of(Providers), claims=links.of(Claims))
    _add_decisions(router, review, providers=links.of(Providers))
    _add_moderation(router, review)
    _add_pictures(router, review)
    return router


def _add_lists(router: APIRouter, review: ProviderReview, *, providers: Providers, claims: Claims) -> None:
    @router.get(PATH)
    async def list_approvals(request: Request, caller: Staff) -> Response:
        decided = {
            status: await review.staff_providers.list_decided(
                staff_id=caller.user_id, status=status, limit=DECIDED_LENGTH
            )
            for status in (ProviderStatus.APPROVED, ProviderStatus.REJECTED)
        }
        done = read_id(request.query_params.get("done"))
        latest = ((status, each) for status, decisions in decided.items() for each in decisions if each.id == done)
        return review.renderer.page(
            request,
            "approvals/queue.html",
            headers=UNSTORED,
            viewer=caller,
            queue=await providers.list_submitted(limit=QUEUE_LENGTH),
            claims=await claims.list_waiting_claims(limit=QUEUE_LENGTH),
            approved=decided[ProviderStatus.APPROVED],
            rejected=decided[ProviderStatus.REJECTED],
            done=max(latest, key=lambda each: each[1].decided_at, default=None),
        )

    @router.get("/admin/providers")
    async def list_providers(request: Request, caller: Staff) -> Response:
        query = request.query_params
        words, vertical = query.get("q", "")[:200], query.get("vertical")
        status = next((each for each in ProviderStatus if each.value == query.get("status")), None)
        page = await review.staff_providers.search_providers(
            staff_id=caller.user_id,
            words=words,
            status=status,
            vertical=vertical if vertical and review.verticals.find(vertical) else None,
            cursor=query.get("cursor") or None,
            limit=PAGE_LENGTH,
        )
        asked = {"q": words, "status": status.value if status else "", "vertical": vertical or ""}
        return review.renderer.page(
            request,
            "approvals/providers.html",
            headers=UNSTORED,
            viewer=caller,
            page=page,
            form=Form(values=asked),
            statuses=list(ProviderStatus),
            following=urlencode({**asked, "cursor": page.next_cursor}) if page.next_cursor else None,
        )


def _add_decisions(router: APIRouter, review: ProviderReview, *, providers: Providers) -> None:
    @router.get(f"{PATH}/{{provider_id}}")
    async def show_provider(request: Request, caller: Staff, provider_id: UUID) -> Response:
        return await review.show(request, caller, provider_id)

    @router.post(f"{PATH}/{{provider_id}}/approve")
    async def approve(request: Request, caller: Staff, provider_id: UUID) -> Response:
        try:
            await providers.approve_provider(staff_id=caller.user_id, provider_id=provider_id)
        except DomainError as refusal:
            return await review.show(request, caller, provider_id, form=Form().refused(refusal), status=422)
        return see_other(f"{PATH}?done={provider_id}")

    @router.post(f"{PATH}/{{provider_id}}/reject")
    async def reject(request: Request, caller: Staff, provider_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await providers.reject_provider(staff_id=caller.user_id, provider_id=provider_id, reason=reason)
        except DomainError as refusal:
            return await review.show(request, caller, provider_id, form=form.refused(refusal), status=422)
        return see_other(f"{PATH}?done={provider_id}")


def _add_moderation(router: APIRouter, review: ProviderReview) -> None:
    staff_providers = review.staff_providers

    @router.post(f"{PATH}/{{provider_id}}/suspend")
    async def suspend(request: Request, caller: Staff, provider_id: UUID) -> Response:
        form = await read_form(request)
        try:
            reason = form.parse(Reason).reason
            await staff_providers.suspend_provider(staff_id=caller.user_id, provider_id=provider_id, reason=reason)
        except DomainError as refusal:
            return await review.show(request, caller, provider_id, form=form.refused(refusal), status=422)
        return see_other(f"{PATH}/{provider_id}?done=suspended")

    @router.post(f"{PATH}/{{provider_id}}/restore")
    async def restore(request: Request, caller: Staff, provider_id: UUID) -> Response:
        try:
            await staff_providers.restore_provider(staff_id=caller.user_id, provider_id=provider_id)
        except DomainError as refusal:
            return await review.show(request, caller, provider_id, form=Form().refused(refusal), status=422)
        return see_other(f"{PATH}/{provider_id}?done=restored")

    @router.post(f"{PATH}/{{provider_id}}/pictures/{{picture_id}}/hide")
    async def hide_picture(request: Request, caller: Staff, provider_id: UUID, picture_id: UUID) -> Response:
        form, of_picture = await read_form(request), {"provider_id": provider_id, "picture_id": picture_id}
        try:
            reason = form.parse(PictureReason).picture_reason
            await staff_providers.hide_picture(staff_id=caller.user_id, **of_picture, reason=reason)
        except DomainError as refusal:
            refused = form.refused(refusal, fields={ProfileInvalid.code: "picture_reason"})
            return await review.show(request, caller, provider_id, form=refused, status=422)
        return see_other(f"{PATH}/{provider_id}?done=hidden")

    @router.post(f"{PATH}/{{provider_id}}/pictures/{{picture_id}}/show")
    async def show_picture_again(request: Request, caller: Staff, provider_id: UUID, picture_id: UUID) -> Response:
        try:
            await staff_providers.show_picture(staff_id=caller.user_id, provider_id=provider_id, picture_id=picture_id)
        except DomainError as refusal:
            return await review.show(request, caller, provider_id, form=Form().refused(refusal), status=422)
        return see_other(f"{PATH}/{provider_id}?done=shown")


def _add_pictures(router: APIRouter, review: ProviderReview) -> None:
    @router.get(f"{PATH}/{{provider_id}}/pictures/{{picture_id}}")
    async def show_picture(request: Request, caller: Staff, provider_id: UUID, picture_id: UUID) -> Response:
        values = await review.load_picture(caller, provider_id, picture_id)
        return review.renderer.page(request, "approvals/picture.html", headers=UNSTORED, viewer=caller, **values)

    @router.get(f"/_f{PATH}/{{provider_id}}/pictures/{{picture_id}}")
    async def show_picture_part(caller: Staff, provider_id: UUID, picture_id: UUID) -> Response:
        values = await review.load_picture(caller, provider_id, picture_id)
        return review.renderer.part("approvals/_picture.html", headers=UNSTORED, **values)

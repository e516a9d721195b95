"""The dashboard's page of pictures: the portrait, and the gallery in its order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from fairground.contracts.media import Picture, PictureForms, PictureNotFound, Pictures
from fairground.contracts.providers import GALLERY_MAX, Galleries, GalleryFull, OwnProvider, Portraits
from fairground.kernel.errors import Conflict, DomainError, Invalid, LimitExceeded
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.images.refusals import heic_refused, unknown_refused
from fairground.platform.module import Links
from fairground.platform.storage.uploads import FORM_MAX_BYTES
from fairground.web.addresses import read_number
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.site import Site

PATH: Final = "/pro/pictures"
_READ_REST_SECONDS: Final = 60
_LOOKS_MAX: Final = 5
# The page shows these beside its fields; other errors get a page of their own.
_REFUSALS: Final = (Invalid, Conflict, LimitExceeded)
_PlacePicture = Callable[[Caller, OwnProvider, UUID], Awaitable[None]]


class Move(FormModel):
    by: Annotated[int, Field(ge=-GALLERY_MAX, le=GALLERY_MAX)]
    """Places, towards the end of the gallery or, below zero, its beginning."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PicturePages:
    """What the routes of the page use."""

    dashboard: Dashboard
    pictures: Pictures
    portraits: Portraits
    galleries: Galleries
    forms: PictureForms

    async def take_form(self, request: Request, caller: Caller) -> Picture:
        content_type, body = request.headers.get("content-type", ""), request.stream()
        try:
            return await self.forms.take_form(owner_id=caller.user_id, content_type=content_type, body=body)
        except DomainError:
            await _read_rest(body)
            raise

    async def choose_portrait(self, caller: Caller, own: OwnProvider, picture_id: UUID) -> None:
        await self.portraits.choose_portrait(owner_id=caller.user_id, provider_id=own.id, picture_id=picture_id)

    async def add_to_gallery(self, caller: Caller, own: OwnProvider, picture_id: UUID) -> None:
        try:
            await self.galleries.add_to_gallery(owner_id=caller.user_id, provider_id=own.id, picture_id=picture_id)
        except GalleryFull:
            await self._delete_unless_shown(caller, picture_id)
            raise

    async def move(self, caller: Caller, own: OwnProvider, picture_id: UUID, *, by: int) -> str:
        """Move a picture of the gallery, at most to its ends; return a direction in which it can move further."""
        ids = [each.id for each in await self.galleries.list_own_gallery(owner_id=caller.user_id)]
        if picture_id not in ids:
            raise PictureNotFound("This picture is no longer in the gallery.")
        place = min(max(ids.index(picture_id) + by, 0), len(ids) - 1)
        ids.remove(picture_id)
        ids.insert(place, picture_id)
        await self.galleries.order_gallery(owner_id=caller.user_id, provider_id=own.id, picture_ids=ids)
        return "earlier" if place == len(ids) - 1 or (by < 0 and place) else "later"

    async def remove_portrait(self, caller: Caller, own: OwnProvider) -> None:
        portrait = await self.portraits.find_portrait(owner_id=caller.user_id)
        await self.portraits.remove_portrait(owner_id=caller.user_id, provider_id=own.id)
        if portrait is not None:
            await self._delete_unless_shown(caller, portrait.id)

    async def remove_from_gallery(self, caller: Caller, own: OwnProvider, picture_id: UUID) -> None:
        await self.galleries.remove_from_gallery(owner_id=caller.user_id, provider_id=own.id, picture_id=picture_id)
        await self._delete_unless_shown(caller, picture_id)

    async def _delete_unless_shown(self, caller: Caller, picture_id: UUID) -> None:
        portrait = await self.portraits.find_portrait(owner_id=caller.user_id)
        gallery = await self.galleries.list_own_gallery(owner_id=caller.user_id)
        if picture_id not in {each.id for each in gallery} and (portrait is None or portrait.id != picture_id):
            await self.pictures.delete_picture(owner_id=caller.user_id, picture_id=picture_id)

    async def show(self, request: Request, caller: Caller, *, own: OwnProvider, form: Form, **values: Any) -> Response:
        return self.dashboard.page(
            request,
            caller,
            "pictures",
            status=form.status if form.is_refused else 200,
            own=own,
            portrait=await self.portraits.find_portrait(owner_id=caller.user_id),
            gallery=await self.galleries.list_own_gallery(owner_id=caller.user_id),
            gallery_max=GALLERY_MAX,
            max_bytes=self.forms.max_bytes,
            not_a_picture=unknown_refused(),
            heic=heic_refused(),
            form=form,
            **{"brought": None, "done": "", "focus": "", **values},
        )


def routes(site: Site, links: Links) -> APIRouter:
    pages = PicturePages(
        dashboard=build_dashboard(site, links),
        pictures=links.of(Pictures),
        portraits=links.of(Portraits),
        galleries=links.of(Galleries),
        forms=links.of(PictureForms),
    )
    router = dashboard_router(pages.dashboard)
    _add_page(router, pages)
    _add_uploads(router, pages)
    _add_changes(router, pages)
    _add_parts(router, pages)
    return router


def _add_page(router: APIRouter, pages: PicturePages) -> None:
    @router.get(PATH)
    async def show_pictures(request: Request, caller: SignedIn) -> Response:
        own, query = await pages.dashboard.get_own(caller), request.query_params
        changed = await _find_picture(pages, caller, query.get("brought", ""))
        # The event of a changed text reaches the gallery a moment later.
        values = {f"alt-{changed.id}": changed.alt} if changed is not None else {}
        return await pages.show(
            request,
            caller,
            own=own,
            form=Form(values=values),
            brought=changed,
            done=query.get("done", ""),
            focus=query.get("focus", ""),
        )


def _add_uploads(router: APIRouter, pages: PicturePages) -> None:
    async def upload(request: Request, caller: Caller, *, place: _PlacePicture, field: str, done: str) -> Response:
        own = await pages.dashboard.get_own(caller)
        try:
            picture = await pages.take_form(request, caller)
            await place(caller, own, picture.id)
        except _REFUSALS as refusal:
            return await pages.show(request, caller, own=own, form=_refused(refusal, field=field))
        return _redirect(done=done, brought=picture.id)

    @router.post(f"{PATH}/portrait", max_body_size=FORM_MAX_BYTES)
    async def upload_portrait(request: Request, caller: SignedIn) -> Response:
        return await upload(request, caller, place=pages.choose_portrait, field="portrait-file", done="portrait")

    @router.post(f"{PATH}/gallery", max_body_size=FORM_MAX_BYTES)
    async def upload_to_gallery(request: Request, caller: SignedIn) -> Response:
        return await upload(request, caller, place=pages.add_to_gallery, field="gallery-file", done="added")


def _add_changes(router: APIRouter, pages: PicturePages) -> None:
    @router.post(f"{PATH}/portrait/remove")
    async def remove_portrait(caller: SignedIn) -> Response:
        await pages.remove_portrait(caller, await pages.dashboard.get_own(caller))
        return _redirect(done="removed")

    @router.post(f"{PATH}/{{picture_id}}/portrait")
    async def choose_portrait(caller: SignedIn, picture_id: UUID) -> Response:
        await pages.choose_portrait(caller, await pages.dashboard.get_own(caller), picture_id)
        return _redirect(done="portrait", brought=picture_id)

    @router.post(f"{PATH}/{{picture_id}}/remove")
    async def remove(caller: SignedIn, picture_id: UUID) -> Response:
        await pages.remove_from_gallery(caller, await pages.dashboard.get_own(caller), picture_id)
        return _redirect(done="removed")

    @router.post(f"{PATH}/{{picture_id}}/move")
    async def move(request: Request, caller: SignedIn, picture_id: UUID) -> Response:
        own, form = await pages.dashboard.get_own(caller), await read_form(request)
        try:
            direction = await pages.move(caller, own, picture_id, by=form.parse(Move).by)
        except _REFUSALS as refusal:
            return await pages.show(request, caller, own=own, form=Form().refused(refusal))
        return _redirect(done="moved", focus=f"{direction}-{picture_id}")

    @router.post(f"{PATH}/{{picture_id}}/alt")
    async def change_alt(request: Request, caller: SignedIn, picture_id: UUID) -> Response:
        own, form = await pages.dashboard.get_own(caller), await read_form(request)
        field, alt = f"alt-{picture_id}", form.values.get("alt", "")
        try:
            await pages.pictures.describe_picture(owner_id=caller.user_id, picture_id=picture_id, alt=alt)
        except _REFUSALS as refusal:
            refused = _refused(refusal, field=field, typed=alt)
            return await pages.show(request, caller, own=own, form=refused)
        return _redirect(done="described", brought=picture_id, focus=field)


def _add_parts(router: APIRouter, pages: PicturePages) -> None:
    """Add the parts that script requests: a picture that was uploaded, and its state until it is ready."""

    @router.post(f"/_f{PATH}/{{picture_id}}/portrait")
    async def complete_portrait(caller: SignedIn, picture_id: UUID) -> Response:
        own = await pages.dashboard.get_own(caller)
        picture = await pages.pictures.complete_upload(owner_id=caller.user_id, picture_id=picture_id)
        await pages.choose_portrait(caller, own, picture_id)
        return pages.dashboard.renderer.part("dashboard/_portrait.html", own=own, portrait=picture, looks=0)

    @router.post(f"/_f{PATH}/{{picture_id}}/gallery")
    async def complete_for_gallery(caller: SignedIn, picture_id: UUID) -> Response:
        own = await pages.dashboard.get_own(caller)
        picture = await pages.pictures.complete_upload(owner_id=caller.user_id, picture_id=picture_id)
        await pages.add_to_gallery(caller, own, picture_id)
        return pages.dashboard.renderer.part(
            "dashboard/_picture.html", picture=picture, portrait_id=None, form=Form(), focus=""
        )

    @router.get(f"/_f{PATH}/{{picture_id}}/portrait")
    async def show_portrait(request: Request, caller: SignedIn, picture_id: UUID) -> Response:
        own = await pages.dashboard.get_own(caller)
        picture = await pages.pictures.get_picture(owner_id=caller.user_id, picture_id=picture_id)
        return pages.dashboard.renderer.part(
            "dashboard/_portrait.html", own=own, portrait=picture, looks=_read_looks(request)
        )

    @router.get(f"/_f{PATH}/{{picture_id}}/gallery")
    async def show_picture(request: Request, caller: SignedIn, picture_id: UUID) -> Response:
        picture = await pages.pictures.get_picture(owner_id=caller.user_id, picture_id=picture_id)
        return pages.dashboard.renderer.part("dashboard/_frame.html", picture=picture, looks=_read_looks(request))


def _read_looks(request: Request) -> int:
    """Return the number of earlier requests for the state, which decides the wait before the next one."""
    return read_number(request.query_params.get("looks"), most=_LOOKS_MAX) or 0


def _redirect(**query: object) -> Response:
    return see_other(f"{PATH}?{urlencode(query)}")


def _refused(refusal: DomainError, *, field: str, typed: str = "") -> Form:
    if isinstance(refusal, LimitExceeded):
        return Form(refusal=refusal)
    return Form(values={field: typed}, errors={field: refusal})


async def _find_picture(pages: PicturePages, caller: Caller, picture_id: str) -> Picture | None:
    try:
        return await pages.pictures.get_picture(owner_id=caller.user_id, picture_id=UUID(picture_id))
    except (ValueError, PictureNotFound):
        return None


async def _read_rest(body: AsyncIterator[bytes]) -> None:
    """Read the rest of a form: a browser shows no answer before it has sent everything."""
    with contextlib.suppress(ClientDisconnect, TimeoutError):
        async with asyncio.timeout(_READ_REST_SECONDS):
            async for _ in body:
                pass

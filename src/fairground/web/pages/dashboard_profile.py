"""The dashboard's page of the profile: its form, and a preview of the public page."""

from collections.abc import Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.media import PictureState
from fairground.contracts.providers import (
    CATEGORIES_MAX,
    BookingAtOtherTime,
    Galleries,
    OwnProvider,
    ProfileChanges,
    ProfileIn,
    ProviderSchedules,
)
from fairground.kernel.errors import DomainError
from fairground.kernel.zones import find_zone, selectable_zone_names
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.verticals.schema import Vertical
from fairground.web.availability_calendar import PREVIEW_PATH
from fairground.web.forms import Form, FormModel, fill_address, read_address, read_form, read_together
from fairground.web.page_cache import UNSTORED
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.pages.provider import ProviderPageQuery, ProviderPages, build_provider_pages
from fairground.web.site import Site

OTHER_REGION: Final = "Other"
FIELDS: Final = {"catalog.category_unknown": "categories", "address": "address_street", "lat": "lat"}


class Profile(FormModel):
    business_name: str
    custom_subtitle: str | None = None
    bio: str | None = None
    location: str
    lat: Annotated[Decimal | None, Field(ge=-90, le=90)] = None
    lng: Annotated[Decimal | None, Field(ge=-180, le=180)] = None
    timezone: str
    categories: Annotated[list[str], Field(min_length=1, max_length=CATEGORIES_MAX)]
    contact_phone: str | None = None
    meeting_details: str | None = None


def routes(site: Site, links: Links) -> APIRouter:
    dashboard, galleries, schedules = build_dashboard(site, links), links.of(Galleries), links.of(ProviderSchedules)
    router = dashboard_router(dashboard)

    @router.get("/pro/profile")
    async def edit_profile(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.find_own(caller)
        if own is None:
            vertical = request.query_params.get("vertical", "")
            pack = dashboard.verticals.find(vertical)
            form = Form(values={"vertical": vertical, "business_name": caller.name})
            return _show(dashboard, request, caller, own=None, pack=pack, form=form)
        moved = await schedules.list_bookings_at_other_times(provider_id=own.id, timezone=own.timezone)
        pack = dashboard.verticals.find(own.vertical)
        return _show(dashboard, request, caller, own=own, pack=pack, form=_filled(own), moved=moved)

    @router.post("/pro/profile")
    async def save_profile(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.find_own(caller)
        form = await read_form(request)
        try:
            await _save(dashboard, caller, own=own, form=form)
        except DomainError as refusal:
            pack = dashboard.verticals.find(own.vertical if own else form.values.get("vertical", ""))
            refused = form.refused(refusal, fields=FIELDS)
            return _show(dashboard, request, caller, own=own, pack=pack, form=refused, status=422)
        return see_other("/pro/profile?saved=yes" if own else "/pro/services")

    _add_preview(router, dashboard, galleries, build_provider_pages(site, links))
    return router


def _add_preview(router: APIRouter, dashboard: Dashboard, galleries: Galleries, pages: ProviderPages) -> None:
    """Add the page as others see it, or will see it, in every state of the profile."""

    async def load(request: Request, caller: Caller, own: OwnProvider) -> dict[str, Any]:
        query = ProviderPageQuery.model_validate(dict(request.query_params))
        own = own.model_copy(update={"services": [each for each in own.services if not each.is_paused]})
        values = await pages.availability_of(own, query, owner_id=caller.user_id)
        return values | await pages.load_reviews(query, provider=own)

    @router.get(PREVIEW_PATH)
    async def preview(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        pictures = await galleries.list_own_gallery(owner_id=caller.user_id)
        shown = [picture for picture in pictures if picture.state is PictureState.READY]
        return dashboard.page(request, caller, "preview", gallery=shown, **await load(request, caller, own))

    @router.get(f"/_f{PREVIEW_PATH}")
    async def preview_times(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        suffix = f"?{request.url.query}" if request.url.query else ""
        headers = {**UNSTORED, "HX-Push-Url": f"{PREVIEW_PATH}{suffix}"}
        values = await load(request, caller, own)
        return dashboard.renderer.part("provider/_times.html", headers=headers, **values)


async def _save(dashboard: Dashboard, caller: Caller, *, own: OwnProvider | None, form: Form) -> None:
    values = _read_fields(form, own)
    if own is None:
        profile = ProfileIn(vertical=form.values.get("vertical", ""), **values)
        await dashboard.providers.create_provider(owner_id=caller.user_id, profile=profile)
        return
    changes = ProfileChanges(**values)
    await dashboard.providers.change_provider(owner_id=caller.user_id, provider_id=own.id, changes=changes)


def _read_fields(form: Form, own: OwnProvider | None) -> dict[str, Any]:
    """Return the fields of the profile with its address; raise FormRefused."""
    values = read_together(lambda: form.parse(Profile).model_dump(), lambda: {"address": read_address(form)})
    kept = own.address if own else None
    if kept is not None and values["address"] == kept.model_copy(update={"lat": None, "lng": None}):
        values["address"] = kept  # with its coordinates, which the form does not show
    return values


def _filled(own: OwnProvider) -> Form:
    names = "business_name custom_subtitle bio location lat lng timezone contact_phone meeting_details".split()
    values = {name: str(value) for name in names if (value := getattr(own, name)) is not None}
    return Form(values=values | fill_address(own.address), lists={"categories": own.service_categories})


def _show(
    dashboard: Dashboard,
    request: Request,
    caller: Caller,
    *,
    own: OwnProvider | None,
    pack: Vertical | None,
    form: Form,
    moved: Sequence[BookingAtOtherTime] = (),
    status: int = 200,
) -> Response:
    zones = zone_options(form.values.get("timezone", ""))
    return dashboard.page(
        request,
        caller,
        "profile",
        status=status,
        own=own,
        pack=pack,
        form=form,
        zone_options=zones,
        bookings_at_other_times=moved,
        is_saved=status == HTTPStatus.OK and "saved" in request.query_params,
    )


def zone_options(chosen: str = "") -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the zones that the form offers by region, each with its text.

    Args:
        chosen: The zone that is set now. It is offered even if it is an alias, so that saving the form keeps it.
    """
    names = selectable_zone_names()
    if chosen not in names and find_zone(chosen):
        names = (chosen, *names)
    regions: dict[str, list[tuple[str, str]]] = {}
    for zone in names:
        region, _, place = zone.partition("/")
        regions.setdefault(region if place else OTHER_REGION, []).append((zone, _place_words(place or zone)))
    return sorted(regions.items(), key=lambda each: (each[0] == OTHER_REGION, each[0]))


def _place_words(place: str) -> str:
    """Return "Indianapolis, Indiana" for "Indiana/Indianapolis"."""
    return ", ".join(reversed(place.replace("_", " ").split("/")))

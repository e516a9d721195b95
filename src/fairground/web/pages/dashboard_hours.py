"""When the provider can be booked: hours of the week, and dates that differ."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.providers import OwnProvider
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.links import Links
from fairground.web.forms import Form, read_form
from fairground.web.hours import WEEKDAYS, exception_rows_of, form_of, rows_of, rules_from
from fairground.web.page_route import page_router, see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard
from fairground.web.site import Site


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = page_router(dashboard.renderer)

    @router.get("/pro/hours")
    async def edit_hours(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        form = form_of(await dashboard.bookings.get_rules(provider_id=own.id))
        return _show(dashboard, request, caller, own=own, form=form, is_saved="saved" in request.query_params)

    @router.post("/pro/hours")
    async def save_hours(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        form = await read_form(request)
        try:
            rules = rules_from(form, timezone=own.timezone)
            await dashboard.bookings.set_rules(owner_id=caller.user_id, provider_id=own.id, rules=rules)
        except DomainError as refusal:
            return _show(dashboard, request, caller, own=own, form=form.refused(refusal), status=422)
        return see_other("/pro/hours?saved=yes")

    return router


def _show(
    dashboard: Dashboard, request: Request, caller: Caller, *, own: OwnProvider, form: Form, **values: Any
) -> Response:
    names = dashboard.renderer.locale.days["stand-alone"]["wide"]
    days = [(weekday, str(names[weekday]), rows_of(form, weekday=weekday)) for weekday in WEEKDAYS]
    return dashboard.page(
        request,
        caller,
        "hours",
        **{"is_saved": False, **values},
        own=own,
        form=form,
        days=days,
        exception_rows=exception_rows_of(form),
        labels={f"start_{weekday}_{row}": name for weekday, name, rows in days for row in rows},
    )

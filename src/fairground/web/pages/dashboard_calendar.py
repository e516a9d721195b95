"""The dashboard's calendar: the bookings of a week or a month, among the hours and the days off."""

from datetime import date
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.platform.http.identity import SignedIn
from fairground.platform.module import Links
from fairground.web.addresses import read_date
from fairground.web.booking_calendar import CalendarView, build_calendar, days_of
from fairground.web.formats import date_in
from fairground.web.page_route import page_router
from fairground.web.pages.dashboard import build_dashboard
from fairground.web.site import Site

# A date beyond them is mistyped, and next to the ends of the calendar there is no week.
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2200


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = page_router(dashboard.renderer)

    @router.get("/pro/calendar")
    async def show_calendar(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        today = date_in(dashboard.clock.now(), own.timezone)
        is_month = request.query_params.get("view") == CalendarView.MONTH
        view = CalendarView.MONTH if is_month else CalendarView.WEEK
        shown = _read_shown(request, today=today)
        locale = dashboard.renderer.locale
        weeks = days_of(view, shown, locale=locale)
        found = await dashboard.bookings_between(caller, zone=own.timezone, first=weeks[0][0], last=weeks[-1][-1])
        rules = await dashboard.bookings.get_rules(provider_id=own.id)
        return dashboard.page(
            request,
            caller,
            "calendar",
            calendar=build_calendar(view, shown=shown, today=today, rules=rules, bookings=found.data, locale=locale),
            is_cut=found.is_cut,
            names=await dashboard.customer_names(found.data),
            today=today,
        )

    return router


def _read_shown(request: Request, *, today: date) -> date:
    shown = read_date(request.query_params.get("date"))
    return shown if shown and FIRST_YEAR <= shown.year <= LAST_YEAR else today

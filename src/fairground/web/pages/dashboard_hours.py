"""The dashboard's page of weekly hours and exceptions, in one form whose rows of fields become rules, and back."""

from collections.abc import Mapping
from datetime import date, time
from gettext import gettext as _
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.booking import AvailabilityRules, DatedException, WeeklyHours
from fairground.contracts.providers import OwnProvider
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.forms import Form, FormRefused, read_form
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.site import Site

WEEKDAYS: Final = range(7)
RANGES_SHOWN: Final = 2
"""The least number of ranges that a day has fields for: before and after a break."""
EXCEPTIONS_SPARE: Final = 3
ROWS_MAX: Final = 400

CLOSED, CLOSED_BETWEEN, OPEN_BETWEEN = "closed", "closed_between", "open_between"


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = dashboard_router(dashboard)

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


def form_of(rules: AvailabilityRules) -> Form:
    """Return the form that shows the rules."""
    values: dict[str, str] = {}
    for weekday in WEEKDAYS:
        for row, hours in enumerate(each for each in rules.weekly if each.weekday == weekday):
            values |= {f"start_{weekday}_{row}": f"{hours.start:%H:%M}", f"end_{weekday}_{row}": f"{hours.end:%H:%M}"}
    for row, exception in enumerate(sorted(rules.exceptions, key=lambda each: each.date)):
        values |= {f"date_{row}": exception.date.isoformat(), f"kind_{row}": _kind(exception)}
        values |= {f"from_{row}": f"{exception.start:%H:%M}"} if exception.start else {}
        values |= {f"to_{row}": f"{exception.end:%H:%M}"} if exception.end else {}
    return Form(values=values)


def rows_of(form: Form, *, weekday: int) -> range:
    """Return the rows to show for a weekday: those that are filled in, and room for one more."""
    count = _count_rows(form.values, prefix=f"start_{weekday}_")
    return range(max(RANGES_SHOWN, count))


def exception_rows_of(form: Form) -> range:
    return range(_count_rows(form.values, prefix="date_") + EXCEPTIONS_SPARE)


def rules_from(form: Form, *, timezone: str) -> AvailabilityRules:
    """Return the rules in the form, in the provider's zone. Empty rows are ignored.

    Raises:
        FormRefused: A row is half filled in, or is no time or date.
    """
    errors: dict[str, str] = {}
    weekly = [
        WeeklyHours(weekday=weekday, start=span[0], end=span[1])
        for weekday in WEEKDAYS
        for row in rows_of(form, weekday=weekday)
        if (span := _span(form, start=f"start_{weekday}_{row}", end=f"end_{weekday}_{row}", errors=errors))
    ]
    exceptions = [
        exception for row in exception_rows_of(form) if (exception := _exception(form, row=row, errors=errors))
    ]
    if errors:
        raise FormRefused(errors)
    return AvailabilityRules(timezone=timezone, weekly=weekly, exceptions=exceptions)


def _exception(form: Form, *, row: int, errors: dict[str, str]) -> DatedException | None:
    written = form.values.get(f"date_{row}", "").strip()
    if not written:
        return None
    try:
        on = date.fromisoformat(written)
    except ValueError:
        errors[f"date_{row}"] = _("Write a date such as 2026-12-24.")
        return None
    kind = form.values.get(f"kind_{row}", CLOSED)
    if kind == CLOSED:
        return DatedException(date=on, available=False)
    span = _span(form, start=f"from_{row}", end=f"to_{row}", errors=errors)
    if span is None:
        errors.setdefault(f"from_{row}", _("Say from when to when."))
        return None
    return DatedException(date=on, available=kind == OPEN_BETWEEN, start=span[0], end=span[1])


def _span(form: Form, *, start: str, end: str, errors: dict[str, str]) -> tuple[time, time] | None:
    written = {name: form.values.get(name, "").strip() for name in (start, end)}
    if not any(written.values()):
        return None
    try:
        return time.fromisoformat(written[start]), time.fromisoformat(written[end])
    except ValueError:
        errors[start] = _("Write both times, such as 18:30.")
        return None


def _kind(exception: DatedException) -> str:
    if exception.available:
        return OPEN_BETWEEN
    return CLOSED_BETWEEN if exception.start else CLOSED


def _count_rows(values: Mapping[str, str], *, prefix: str) -> int:
    """Return one more than the number of the last row that is filled in."""
    rows = (name.removeprefix(prefix) for name, value in values.items() if name.startswith(prefix) and value.strip())
    return min(max((int(row) + 1 for row in rows if row.isascii() and row.isdigit()), default=0), ROWS_MAX)

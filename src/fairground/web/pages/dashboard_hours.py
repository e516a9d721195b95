"""The dashboard's page of hours: weekly hours and special dates in one form, time off, the notice, and the pause."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from gettext import gettext as _
from gettext import ngettext
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.booking import (
    MIN_NOTICE_HOURS_MAX,
    REOPENED,
    AvailabilityRules,
    PausedUntil,
    RulesChanges,
    TimeOff,
)
from fairground.contracts.providers import OwnProvider
from fairground.kernel.errors import DomainError
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.addresses import read_date, read_number
from fairground.web.formats import date_in
from fairground.web.forms import Form, FormModel, FormRefused, read_form
from fairground.web.hours_form import (
    WEEKDAYS,
    ReadRules,
    copied,
    ends_next_day,
    exception_rows_of,
    form_of,
    read_rules,
    rows_of,
)
from fairground.web.page_route import see_other
from fairground.web.pages.dashboard import Dashboard, build_dashboard, dashboard_router
from fairground.web.site import Site

NOTICE_HOURS: Final = (0, 1, 2, 4, 8, 12, 24, 48, 72, 168, 336, 720)
RULES_INVALID: Final = "booking.rules_invalid"


class Notice(FormModel):
    min_notice_hours: Annotated[int | None, Field(ge=0, le=MIN_NOTICE_HOURS_MAX)] = None


class NewTimeOff(FormModel):
    off_from: date
    off_to: date
    off_note: str | None = None


class NewPause(FormModel):
    pause_until: date | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class HoursPage:
    """One request for the page, with the forms that are shown on it."""

    dashboard: Dashboard
    request: Request
    caller: Caller
    own: OwnProvider

    @property
    def today(self) -> date:
        return date_in(self.dashboard.clock.now(), self.own.timezone)

    @property
    def day_names(self) -> Mapping[int, str]:
        names = self.dashboard.renderer.locale.days["stand-alone"]["wide"]
        return {weekday: str(names[weekday]) for weekday in WEEKDAYS}

    async def get_rules(self) -> AvailabilityRules:
        return await self.dashboard.bookings.get_rules(provider_id=self.own.id)

    async def change(self, changes: RulesChanges) -> None:
        await self.dashboard.bookings.change_rules(
            owner_id=self.caller.user_id, provider_id=self.own.id, changes=changes
        )

    async def show(
        self,
        *,
        form: Form | None = None,
        time_off: Form | None = None,
        pause: Form | None = None,
        status: int = 200,
        **values: Any,
    ) -> Response:
        rules = await self.get_rules()
        coming = [each for each in rules.exceptions if each.date >= self.today]
        form = form or form_of(rules.model_copy(update={"exceptions": coming}))
        days = [(weekday, name, rows_of(form, weekday=weekday)) for weekday, name in self.day_names.items()]
        return self.dashboard.page(
            self.request,
            self.caller,
            "hours",
            **{"is_saved": False, "is_copied": False, "added": None, "added_bookings": [], "names": {}, **values},
            status=status,
            own=self.own,
            form=form,
            days=days,
            exception_rows=exception_rows_of(form),
            labels=_labels(form, days),
            night=lambda start, end: ends_next_day(form, start=start, end=end),
            time_off=[each for each in rules.time_off if each.to_date >= self.today],
            off_form=time_off or Form(),
            pause_form=pause or Form(),
            paused_until=rules.paused_until,
            notice_options=self._notice_options(rules.min_notice_hours),
            today=self.today,
        )

    def _notice_options(self, own_hours: int | None) -> list[tuple[str, str]]:
        pack = self.dashboard.verticals.find(self.own.vertical)
        usual = _hours_in_words(pack.booking.min_notice_hours) if pack else ""
        offered = sorted({*NOTICE_HOURS, *([] if own_hours is None else [own_hours])})
        return [
            ("", _("Default: {notice}").format(notice=usual)),
            *((str(n), _hours_in_words(n)) for n in offered),
        ]


OpenPage = Callable[[Request, Caller], Awaitable[HoursPage]]


def routes(site: Site, links: Links) -> APIRouter:
    dashboard = build_dashboard(site, links)
    router = dashboard_router(dashboard)

    async def open_page(request: Request, caller: Caller) -> HoursPage:
        return HoursPage(dashboard=dashboard, request=request, caller=caller, own=await dashboard.get_own(caller))

    @router.get("/pro/hours")
    async def edit_hours(request: Request, caller: SignedIn) -> Response:
        page = await open_page(request, caller)
        query = request.query_params
        added, first = read_date(query.get("off")), query.get("from", "")
        values = await _added_time_off(page, added) if added else {}
        off_form = Form(values={"off_from": first, "off_to": first} if read_date(first) else {})
        return await page.show(time_off=off_form, is_saved="saved" in query, **values)

    @router.post("/pro/hours")
    async def save_hours(request: Request, caller: SignedIn) -> Response:
        page, form = await open_page(request, caller), await read_form(request)
        if to := form.values.get("copy"):
            weekday = read_number(form.values.get("copy_from"), most=max(WEEKDAYS)) or 0
            return await page.show(form=copied(form, weekday=weekday, to=to), is_copied=True)
        read = ReadRules()
        try:
            read = read_rules(form, day_names=list(page.day_names.values()))
            notice = form.parse(Notice)
            past = [each for each in (await page.get_rules()).exceptions if each.date < page.today]
            changes = read.changes(past=past).model_copy(update=notice.model_dump())
            await page.change(changes)
        except DomainError as refusal:
            return await page.show(form=_refused(form, refusal, read=read), status=422)
        return see_other("/pro/hours?saved=yes")

    _add_time_off(router, open_page)
    _add_pause(router, open_page)
    return router


def _add_time_off(router: APIRouter, open_page: OpenPage) -> None:
    @router.post("/pro/hours/time-off")
    async def add_time_off(request: Request, caller: SignedIn) -> Response:
        page, form = await open_page(request, caller), await read_form(request)
        try:
            entered = form.parse(NewTimeOff)
            time_off = TimeOff(from_date=entered.off_from, to_date=entered.off_to, note=entered.off_note)
            await page.dashboard.bookings.add_time_off(
                owner_id=caller.user_id, provider_id=page.own.id, time_off=time_off
            )
        except DomainError as refusal:
            refused = form.refused(refusal, fields={RULES_INVALID: "off_to"})
            return await page.show(time_off=refused, status=422)
        return see_other(f"/pro/hours?off={entered.off_from}#time-off")

    @router.post("/pro/hours/time-off/remove")
    async def remove_time_off(request: Request, caller: SignedIn) -> Response:
        page, form = await open_page(request, caller), await read_form(request)
        if first := read_date(form.values.get("off_from")):
            await page.dashboard.bookings.remove_time_off(
                owner_id=caller.user_id, provider_id=page.own.id, from_date=first
            )
        return see_other("/pro/hours#time-off")


def _add_pause(router: APIRouter, open_page: OpenPage) -> None:
    @router.post("/pro/hours/pause")
    async def pause_bookings(request: Request, caller: SignedIn) -> Response:
        page, form = await open_page(request, caller), await read_form(request)
        try:
            entered = form.parse(NewPause)
            until: PausedUntil = entered.pause_until or REOPENED
            await page.change(RulesChanges(paused_until=until))
        except DomainError as refusal:
            return await page.show(pause=form.refused(refusal, fields={RULES_INVALID: "pause_until"}), status=422)
        return see_other("/pro/hours#pause")

    @router.post("/pro/hours/resume")
    async def resume_bookings(request: Request, caller: SignedIn) -> Response:
        page = await open_page(request, caller)
        await page.change(RulesChanges(paused_until=None))
        return see_other("/pro/hours#pause")


async def _added_time_off(page: HoursPage, first: date) -> dict[str, Any]:
    """Return the time off that was just added, and the bookings that are in it."""
    added = next((each for each in (await page.get_rules()).time_off if each.from_date == first), None)
    if added is None:
        return {}
    bookings = await page.dashboard.bookings_on(page.caller, own=page.own, first=first, last=added.to_date)
    return {
        "added": added,
        "added_bookings": bookings,
        "names": await page.dashboard.customer_names(bookings),
    }


def _refused(form: Form, refusal: DomainError, *, read: ReadRules) -> Form:
    """Return the form with the refusal at the field of the row that it names."""
    named = str(refusal.context.get("field", ""))
    if isinstance(refusal, FormRefused) or named not in read.fields:
        return form.refused(refusal)
    return form.refused(refusal, fields={refusal.code: read.fields[named]})


def _labels(form: Form, days: list[tuple[int, str, range]]) -> dict[str, str]:
    """Return what the summary of errors calls the fields."""
    labels: dict[str, str] = {}
    for weekday, name, rows in days:
        labels |= {f"{edge}_{weekday}_{row}": name for row in rows for edge in ("start", "end")}
    for row in exception_rows_of(form):
        date_words = form.values.get(f"date_{row}") or _("Special dates")
        labels |= {f"{name}_{row}": date_words for name in ("date", "from", "to")}
    return labels | {"min_notice_hours": _("Notice")}


def _hours_in_words(hours: int) -> str:
    if not hours:
        return _("none")
    days, rest = divmod(hours, 24)
    if rest or days == 1:
        return ngettext("{number} hour", "{number} hours", hours).format(number=hours)
    return ngettext("{number} day", "{number} days", days).format(number=days)

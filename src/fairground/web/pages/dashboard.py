"""The dashboard of a provider: requests to answer, coming bookings, the state of the profile, and all bookings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from math import ceil
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import Accounts, OwnAccounts
from fairground.contracts.booking import (
    CALENDAR_MAX_DAYS,
    Booking,
    BookingPage,
    BookingRange,
    Bookings,
    BookingStatus,
    BookingView,
)
from fairground.contracts.providers import NotAProvider, OwnProvider, ProfileMissing, Providers
from fairground.kernel.errors import DomainError
from fairground.kernel.zones import Clock, get_zone, start_of_day
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.verticals.loader import Verticals
from fairground.web.formats import date_in
from fairground.web.forms import Form
from fairground.web.page_route import page_router, refusal_page, see_other
from fairground.web.pages.bookings import PAGE_LENGTH, read_page, read_status
from fairground.web.rendering import Renderer
from fairground.web.site import Site

SIDE: Final = "provider"
DAY: Final = timedelta(days=1)
COMING_MAX: Final = 100  # bookings that the dashboard lists by day


@dataclass(frozen=True, kw_only=True, slots=True)
class Dashboard:
    """What every page of the dashboard uses."""

    renderer: Renderer
    accounts: Accounts
    providers: Providers
    bookings: Bookings
    verticals: Verticals
    clock: Clock

    async def find_own(self, caller: Caller) -> OwnProvider | None:
        """Return the caller's profile, if there is one yet.

        Raises:
            NotAProvider: The account is a customer's or staff's.
        """
        if caller.role != SIDE:
            raise NotAProvider("This is not a provider account.", role=caller.role)
        try:
            return await self.providers.get_own_provider(owner_id=caller.user_id)
        except ProfileMissing:
            return None

    async def get_own(self, caller: Caller) -> OwnProvider:
        """Return the caller's profile; raise NotAProvider, or ProfileMissing before there is one."""
        own = await self.find_own(caller)
        if own is None:
            raise ProfileMissing("There is no profile yet.")
        return own

    def page(self, request: Request, caller: Caller, template: str, *, status: int = 200, **values: Any) -> Response:
        return self.renderer.page(request, f"dashboard/{template}.html", status=status, viewer=caller, **values)

    async def customer_names(self, bookings: Sequence[Booking]) -> dict[UUID, str]:
        users = await self.accounts.find_users(user_ids={booking.customer_id for booking in bookings})
        return {
            booking.customer_id: users[booking.customer_id].name for booking in bookings if booking.customer_id in users
        }

    async def bookings_on(self, caller: Caller, *, own: OwnProvider, first: date, last: date) -> list[Booking]:
        """Return the requests and bookings that take place on some of the dates, both included, from today on."""
        today = date_in(self.clock.now(), own.timezone)
        pack = self.verticals.find(own.vertical)
        first = max(first, today)
        last = min(last, today + timedelta(days=pack.booking.horizon_days + 1 if pack else 0))
        found: dict[UUID, Booking] = {}
        while first <= last:
            end = min(last, first + (CALENDAR_MAX_DAYS - 2) * DAY) + DAY
            part = await self.bookings_between(caller, zone=own.timezone, first=first, last=end - DAY)
            found |= {booking.id: booking for booking in part.data}
            first = end
        return list(found.values())

    async def bookings_between(self, caller: Caller, *, zone: str, first: date, last: date) -> BookingRange:
        """Return the requests and bookings of some dates, both included; at most CALENDAR_MAX_DAYS."""
        start, end = (start_of_day(each, zone=get_zone(zone)) for each in (first, last + DAY))
        return await self.bookings.list_bookings_between(owner_id=caller.user_id, starts_at=start, ends_at=end)

    async def bookings_of(
        self, caller: Caller, *, status: BookingStatus | None, page: int = 1, limit: int = PAGE_LENGTH
    ) -> BookingPage:
        return await self.bookings.list_bookings(
            user_id=caller.user_id, side=SIDE, status=status, page=page, limit=limit
        )


def build_dashboard(site: Site, links: Links) -> Dashboard:
    return Dashboard(
        renderer=site.renderer,
        accounts=links.of(Accounts),
        providers=links.of(Providers),
        bookings=links.of(Bookings),
        verticals=site.verticals,
        clock=site.clock,
    )


def dashboard_router(dashboard: Dashboard) -> APIRouter:
    """Return a router whose pages say what to do first: become a provider, and create the profile."""

    def show_first_step(request: Request, _error: DomainError) -> Response:
        if request.method != "GET":
            # The form is of an account that had a profile when the page was opened.
            return see_other("/pro/profile")
        return dashboard.page(request, request.state.caller, "first_step", own=None)

    def show_invitation(request: Request, error: DomainError) -> Response:
        caller: Caller = request.state.caller
        if caller.is_staff:
            return refusal_page(dashboard.renderer, request, error=error)
        return dashboard.page(request, caller, "invitation")

    return page_router(dashboard.renderer, refusals={ProfileMissing: show_first_step, NotAProvider: show_invitation})


def routes(site: Site, links: Links) -> APIRouter:
    dashboard, own_accounts = build_dashboard(site, links), links.of(OwnAccounts)
    router = dashboard_router(dashboard)

    @router.get("/pro")
    async def show_dashboard(request: Request, caller: SignedIn) -> Response:
        if await dashboard.find_own(caller) is None:
            return see_other("/pro/profile")
        return await _show_dashboard(dashboard, request, caller, form=Form())

    @router.post("/pro/start")
    async def become_provider(caller: SignedIn) -> Response:
        await own_accounts.become_provider(user_id=caller.user_id)
        return see_other("/pro/profile")

    @router.post("/pro/submit")
    async def submit(request: Request, caller: SignedIn) -> Response:
        own = await dashboard.get_own(caller)
        try:
            await dashboard.providers.submit_provider(owner_id=caller.user_id, provider_id=own.id)
        except DomainError as refusal:
            return await _show_dashboard(dashboard, request, caller, form=Form().refused(refusal), status=422)
        return see_other("/pro")

    @router.get("/pro/bookings")
    async def list_bookings(request: Request, caller: SignedIn) -> Response:
        await dashboard.get_own(caller)
        status, page = read_status(request), read_page(request)
        found = await dashboard.bookings_of(caller, status=status, page=page)
        names = await dashboard.customer_names(found.data)
        return dashboard.page(
            request,
            caller,
            "bookings",
            bookings=found.data,
            names=names,
            wanted=status,
            page=page,
            pages=ceil(found.total / PAGE_LENGTH),
        )

    return router


async def _show_dashboard(
    dashboard: Dashboard, request: Request, caller: Caller, *, form: Form, status: int = 200
) -> Response:
    own = await dashboard.get_own(caller)
    requests = await dashboard.bookings_of(caller, status=BookingStatus.REQUESTED)
    confirmed = (await dashboard.bookings_of(caller, status=BookingStatus.CONFIRMED, limit=COMING_MAX)).data
    now = dashboard.clock.now()
    coming = sorted((each for each in confirmed if each.ends_at > now), key=lambda each: each.starts_at)
    over = [each for each in confirmed if each.ends_at <= now]
    return dashboard.page(
        request,
        caller,
        "home",
        status=status,
        own=own,
        pack=dashboard.verticals.find(own.vertical),
        requests=requests.data,
        waiting=requests.total,
        over=over,
        coming=_by_day(coming, zone=own.timezone),
        coming_count=len(coming),
        names=await dashboard.customer_names([*requests.data, *confirmed]),
        form=form,
    )


def _by_day(bookings: Sequence[BookingView], *, zone: str) -> list[tuple[date, list[BookingView]]]:
    days = groupby(bookings, key=lambda booking: date_in(booking.starts_at, zone))
    return [(on, list(same)) for on, same in days]

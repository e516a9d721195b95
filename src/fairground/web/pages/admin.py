"""The overview of staff: today's bookings and money, what waits, and how the installation stands."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import StaffAccounts
from fairground.contracts.booking.staff import COUNTED_AT_MOST, StaffBookings
from fairground.contracts.operations import Operations
from fairground.contracts.providers import Providers
from fairground.contracts.providers.claims import Claims
from fairground.contracts.staff_payments import MoneyFigures, StaffPayments
from fairground.kernel.messages import Queue
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import admin_pages
from fairground.web.page_route import page_router
from fairground.web.site import Site

_WAITING_AT_MOST: Final = 100


def routes(site: Site, links: Links) -> APIRouter:
    pages, providers, claims = admin_pages(site, links), links.of(Providers), links.of(Claims)
    accounts, bookings, payments = links.of(StaffAccounts), links.of(StaffBookings), links.of(StaffPayments)
    operations = links.of(Operations)
    router = page_router(site.renderer)

    @router.get("/admin")
    async def show_overview(request: Request, caller: Staff) -> Response:
        jobs = await operations.read_jobs()
        currency = await providers.get_currency()
        nothing = MoneyFigures(currency=currency, captured_minor=0, refunded_minor=0, net_minor=0)
        return await pages.page(
            request,
            caller,
            "admin/overview.html",
            bookings=await bookings.read_figures(staff_id=caller.user_id),
            money=await payments.read_figures() or [nothing],
            accounts=await accounts.read_figures(staff_id=caller.user_id),
            submitted=len(await providers.list_submitted(limit=_WAITING_AT_MOST)),
            claimed=len(await claims.list_waiting_claims(limit=_WAITING_AT_MOST)),
            queues=jobs.queues,
            failed_mails=next(each.dead for each in jobs.queues if each.queue is Queue.MAIL),
            installation=operations.describe_installation(),
            waiting_most=_WAITING_AT_MOST,
            most=COUNTED_AT_MOST,
        )

    return router

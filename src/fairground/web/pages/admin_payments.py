"""Payments for staff: search, and one with its operations and the events of the processor."""

from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.payments import PaymentStatus
from fairground.contracts.staff_payments import StaffPayments
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.addresses import read_date
from fairground.web.admin_pages import PAGE_LENGTH, admin_pages, next_address, searched
from fairground.web.page_route import page_router
from fairground.web.site import Site

PATH: Final = "/admin/payments"


def routes(site: Site, links: Links) -> APIRouter:
    pages, payments = admin_pages(site, links), links.of(StaffPayments)
    router = page_router(site.renderer)

    @router.get(PATH)
    async def search_payments(request: Request, caller: Staff) -> Response:
        query = request.query_params
        status = query.get("status", "")
        page = await payments.search_payments(
            words=query.get("words", ""),
            status=PaymentStatus(status) if status in set(PaymentStatus) else None,
            from_date=read_date(query.get("from")),
            to_date=read_date(query.get("to")),
            cursor=query.get("cursor"),
            limit=PAGE_LENGTH,
        )
        return await pages.page(
            request,
            caller,
            "admin/payments.html",
            page=page,
            next=next_address(request, page.next_cursor),
            form=searched(request),
            statuses=list(PaymentStatus),
        )

    @router.get(PATH + "/{payment_id}")
    async def show_payment(request: Request, caller: Staff, payment_id: UUID) -> Response:
        payment = await payments.get_payment_for_staff(payment_id=payment_id)
        return await pages.page(request, caller, "admin/payment.html", payment=payment)

    return router

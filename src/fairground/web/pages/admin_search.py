"""One search of staff over accounts, providers, bookings and payments."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.accounts import SEARCH_MAX_LENGTH, StaffAccounts
from fairground.contracts.booking.staff import StaffBookings
from fairground.contracts.providers.staff import StaffProviders
from fairground.contracts.staff_payments import StaffPayments
from fairground.platform.http.identity import Staff
from fairground.platform.module import Links
from fairground.web.admin_pages import admin_pages, searched
from fairground.web.page_route import page_router
from fairground.web.pages.admin_accounts import ROLE_WORDS
from fairground.web.site import Site

PATH: Final = "/admin/search"
_SHOWN: Final = 5  # of each kind; the list of the kind has the rest


def routes(site: Site, links: Links) -> APIRouter:
    pages, accounts, providers = admin_pages(site, links), links.of(StaffAccounts), links.of(StaffProviders)
    bookings, payments = links.of(StaffBookings), links.of(StaffPayments)
    router = page_router(site.renderer)

    @router.get(PATH)
    async def search_everything(request: Request, caller: Staff) -> Response:
        words = request.query_params.get("words", "").strip()[:SEARCH_MAX_LENGTH]
        staff_id, found = caller.user_id, {}
        if words:
            found = {
                "accounts": await accounts.search_users(staff_id=staff_id, words=words, limit=_SHOWN),
                "providers": await providers.search_providers(staff_id=staff_id, words=words, limit=_SHOWN),
                "bookings": await bookings.search_bookings(staff_id=staff_id, words=words, limit=_SHOWN),
                "payments": await payments.search_payments(words=words, limit=_SHOWN),
            }
        return await pages.page(
            request,
            caller,
            "admin/search.html",
            words=words,
            found=found,
            role_words=ROLE_WORDS,
            form=searched(request),
        )

    return router

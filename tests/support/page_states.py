"""Every page of the program, in each of its states, with the role that sees it and the steps to the state."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from playwright.async_api import Page
from starlette.routing import Route

from fairground.entrypoints.compose import Program
from fairground.platform.http.app import API_PREFIX
from tests.support.full_market import (
    CUSTOMER,
    NEW_PROVIDER,
    PROVIDER,
    REJECTED_PROVIDER,
    STAFF,
    WAITING_PROVIDER,
    FullMarket,
)

ANONYMOUS: Final = ""
ROLES: Final = (ANONYMOUS, CUSTOMER, NEW_PROVIDER, REJECTED_PROVIDER, WAITING_PROVIDER, PROVIDER, STAFF)
"""By the address that each signs in with."""

NO_PAGES: Final = {
    "/static/{address:path}": "files",
    "/pictures/{name}": "files",
    "/media/{key:path}": "files",
    "/me/bookings/{booking_id}/calendar.ics": "a file",
    **dict.fromkeys(("/robots.txt", "/sitemap.xml", "/sitemaps/{number}.xml"), "for crawlers"),
    **dict.fromkeys(("/favicon.ico", "/manifest.webmanifest"), "files"),
}
"""Routes that answer a reader with something else than a page."""
_PART_PREFIX: Final = "/_f/"

Step = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class PageState:
    route: str
    path: str
    role: str = ANONYMOUS
    name: str = ""
    """What distinguishes this state from others of the same path."""
    reach: Step | None = None
    """What a reader does on the page to see this state."""
    is_variant: bool = False
    """Laid out as another state is, with other words; left to the full matrix."""

    @property
    def title(self) -> str:
        return f"{self.path} as {self.role or 'a visitor'}{self.name and ', '}{self.name}"


def page_routes(program: Program) -> set[str]:
    """Return the paths of all routes that answer GET with a page."""
    of_pages = (route for router in program.pages for route in router.routes)
    found = {route.path for route in of_pages if isinstance(route, Route) and "GET" in (route.methods or ())}
    # The bank of the sandbox is the only route of the API that shows a page.
    of_api = (route for router in program.api for route in router.routes if type(route) is Route)
    found |= {f"{API_PREFIX}{route.path}" for route in of_api if "GET" in (route.methods or ())}
    return {path for path in found - set(NO_PAGES) if not path.startswith(_PART_PREFIX)}


def _send(button: str, **fields: str) -> Step:
    """Fill in fields by their ids and press a button, without the browser's own checks of a form."""

    async def reach(page: Page) -> None:
        await page.evaluate("for (const form of document.forms) form.noValidate = true")
        for name, value in fields.items():
            await page.fill(f"#{name}", value)
        async with page.expect_navigation():
            await page.get_by_role("button", name=button).first.click()

    return reach


async def _show_map(page: Page) -> None:
    await page.get_by_text("Show map").click()
    await page.locator("path.map-land").wait_for(state="attached")


async def _open_lightbox(page: Page) -> None:
    await page.locator(".gallery a").first.click()
    await page.locator(".lightbox .viewer").wait_for()


async def page_states(market: FullMarket) -> Sequence[PageState]:
    """List every state of every page, those of one role one after the other."""
    return [
        *_finding(market),
        *_signing_in(market),
        *await _booking(market),
        *_working(),
        *_staff(market),
        *_services(market),
        *_refusals(market),
    ]


def _finding(market: FullMarket) -> Iterator[PageState]:
    provider = f"/p/{market.provider.slug}"
    yield PageState("/", "/")
    yield PageState("/c/{vertical}", "/c/artists")
    yield PageState("/c/{vertical}", "/c/artists", name="map", reach=_show_map)
    narrowed = "category=pianist&location=Oslo&when=2030-01-07&min_rating=4&min_price=10"
    yield PageState("/c/{vertical}", f"/c/artists?{narrowed}")
    yield PageState("/s", "/s?page=2")
    yield PageState("/s", "/s?q=nothing+of+the+kind&location=Oslo&vertical=chefs")
    yield PageState("/p/{id_or_slug}", provider)
    yield PageState("/p/{id_or_slug}", provider, name="lightbox", reach=_open_lightbox)
    yield PageState("/p/{id_or_slug}", f"{provider}?month=2099-01")
    yield PageState("/p/{id_or_slug}", f"/p/{market.unclaimed_slug}")
    yield PageState("/claim", "/claim?token=none")
    yield PageState("/claim", market.invitation_path, name="invited")
    unfit = _send("Create account and claim", name="Ola", password="a")
    yield PageState("/claim", market.invitation_path, name="refused", reach=unfit)
    yield PageState("/p/{id_or_slug}/pictures/{picture_id}", f"{provider}/pictures/{market.picture_id}")
    yield PageState("/_ui", "/_ui")
    yield PageState("/api/docs", "/api/docs")
    yield PageState("/api/docs", "/api/docs?q=hold", name="a search")
    yield PageState("/help", "/help")
    yield PageState("/contact", "/contact")
    yield PageState("/terms", "/terms")
    yield PageState("/privacy", "/privacy")
    yield PageState("/mail", "/mail")
    yield PageState("/mail/{name}", f"/mail/{market.mail_name}")


def _signing_in(market: FullMarket) -> Iterator[PageState]:
    wrong = _send("Sign in", email="nora@example.org", password="not the one")
    yield PageState("/login", "/login?next=/book/maya")
    yield PageState("/login", "/login", name="refused", reach=wrong)
    yield PageState("/signup", "/signup")
    unfit = _send("Create account", name="Nora", email="nora@example.org", password="a")
    yield PageState("/signup", "/signup", name="refused", reach=unfit)
    yield PageState("/verify-email", "/verify-email")
    yield PageState("/verify-email", "/verify-email?token=none")
    yield PageState("/verify-email", "/verify-email?token=none", name="refused", reach=_send("Confirm email address"))
    yield PageState("/verify-email", "/verify-email", CUSTOMER)
    yield PageState("/password-reset", "/password-reset")
    sent = _send("Send link", email="nora@example.org")
    yield PageState("/password-reset", "/password-reset", name="sent", reach=sent)
    yield PageState("/reset-password", "/reset-password?token=none")
    refused = _send("Set new password", password="quite another sentence")
    yield PageState("/reset-password", "/reset-password?token=none", name="refused", reach=refused)
    yield PageState("/me", "/me", CUSTOMER)
    yield from _claiming(market)
    yield PageState("/me/security", "/me/security", CUSTOMER)
    made = _send("Create token", name="the script that fetches my bookings every night")
    yield PageState("/me/security", "/me/security", CUSTOMER, "token made", made)
    yield PageState("/me/settings", "/me/settings", CUSTOMER)
    yield PageState("/me/settings", "/me/settings?saved=password", PROVIDER, is_variant=True)
    change = _send("Change password", current="not this one", new="quite another sentence")
    yield PageState("/me/settings", "/me/settings", CUSTOMER, "refused", change)
    yield PageState("/me/close", "/me/close", CUSTOMER)
    yield PageState("/me/close", "/me/close", PROVIDER, "refused", _send("Close my account", password="not this one"))
    yield PageState("/account-closed", "/account-closed")
    yield PageState("/change-email", "/change-email")
    yield PageState("/change-email", "/change-email?token=none")
    yield PageState("/change-email", "/change-email?token=none", name="refused", reach=_send("Confirm email address"))


def _claiming(market: FullMarket) -> Iterator[PageState]:
    claim = f"/p/{market.unclaimed_slug}/claim"
    yield PageState("/p/{id_or_slug}/claim", claim, CUSTOMER)
    yield PageState("/p/{id_or_slug}/claim", claim, CUSTOMER, "refused", _send("Claim this page", reason=""))
    yield PageState("/p/{id_or_slug}/claim", "/p/artists-of-oslo-3/claim", CUSTOMER, "waiting")
    yield PageState("/claim", market.invitation_path, CUSTOMER, "signed in")


async def _booking(market: FullMarket) -> list[PageState]:
    slug, bank = market.provider.slug, market.bank_url.removeprefix(market.visit.address)
    details = f"/book/{slug}?{await market.details_query()}"
    held = f"/book/h/{await market.fresh_hold()}"
    ids = {name: booking.id for name, booking in market.bookings.items()}
    states = [
        PageState("/book/{slug}", details, CUSTOMER),
        PageState("/book/{slug}", details, CUSTOMER, "refused", _send("Continue to payment", party_size="9999")),
        PageState("/book/h/{booking_id}", held, CUSTOMER),
        PageState("/book/h/{booking_id}", held, CUSTOMER, "declined", _pay_with_declined_card),
        PageState("/book/h/{booking_id}", f"/book/h/{ids['bank question']}", CUSTOMER),
        PageState("/book/h/{booking_id}", f"/book/h/{ids['expired']}", CUSTOMER, "expired"),
        PageState("/book/{booking_id}/return", f"/book/{ids['confirmed']}/return", CUSTOMER),
        PageState(f"{API_PREFIX}/sandbox/3d-secure/{{intent_id}}/{{token}}", bank, CUSTOMER),
        PageState("/me/bookings", "/me/bookings", CUSTOMER),
        PageState("/me/bookings", "/me/bookings?status=completed&page=9", CUSTOMER),
        PageState("/me/bookings/{booking_id}/receipt", f"/me/bookings/{ids['confirmed']}/receipt", CUSTOMER),
    ]
    for name in ("requested", "confirmed"):
        is_variant, cancel = name == "requested", f"/me/bookings/{ids[name]}/cancel"
        done = f"/book/h/{ids[name]}/done"
        states.append(PageState("/book/h/{booking_id}/done", done, CUSTOMER, name, is_variant=is_variant))
        states.append(PageState("/me/bookings/{booking_id}/cancel", cancel, CUSTOMER, name, is_variant=is_variant))
        states.append(PageState("/me/bookings/{booking_id}/cancel", cancel, PROVIDER, name, is_variant=True))
    return [*states, *_one_booking(ids)]


def _one_booking(ids: Mapping[str, UUID]) -> Iterator[PageState]:
    distinct = {
        CUSTOMER: {"completed", "reviewed", "requested", "confirmed", "cancelled"},
        PROVIDER: {"requested", "completed"},
    }
    for role, names in distinct.items():
        for name, booking_id in ids.items():
            path, is_variant = f"/me/bookings/{booking_id}", name not in names
            yield PageState("/me/bookings/{booking_id}", path, role, name, is_variant=is_variant)
    refused = _send("Send", message="")
    yield PageState("/me/bookings/{booking_id}", f"/me/bookings/{ids['requested']}", CUSTOMER, "no message", refused)
    for role in (CUSTOMER, PROVIDER):
        yield PageState("/me/messages", "/me/messages", role)


async def _pay_with_declined_card(page: Page) -> None:
    await page.locator("input[name=payment_method]").nth(3).check()
    async with page.expect_navigation():
        await page.locator("button.large").click()


def _working() -> Iterator[PageState]:
    for path in (
        "/pro",
        "/pro/bookings",
        "/pro/calendar",
        "/pro/profile",
        "/pro/pictures",
        "/pro/services",
        "/pro/hours",
        "/pro/preview",
    ):
        yield PageState(path, path, PROVIDER)
        yield PageState(path, path, NEW_PROVIDER, is_variant=path not in {"/pro", "/pro/profile"})
    yield PageState("/pro", "/pro", REJECTED_PROVIDER)
    yield PageState("/pro", "/pro", WAITING_PROVIDER)
    yield PageState("/pro/profile", "/pro/profile?vertical=chefs", NEW_PROVIDER)
    unfit = _send("Save", business_name="", location="")
    yield PageState("/pro/profile", "/pro/profile", PROVIDER, "refused", unfit)
    yield PageState("/pro/bookings", "/pro/bookings?status=requested", PROVIDER)
    half = _send("Save hours", start_0_0="20:00", end_0_0="", date_0="2030-12-24")
    yield PageState("/pro/hours", "/pro/hours", PROVIDER, "refused", half)
    backwards = _send("Add time off", off_from="2030-12-24", off_to="2030-12-23")
    yield PageState("/pro/hours", "/pro/hours", PROVIDER, "time off refused", backwards)
    away = _send("Add time off", off_from="2030-12-24", off_to="2031-01-03", off_note="Family")
    yield PageState("/pro/hours", "/pro/hours", PROVIDER, "time off added", away)
    yield PageState("/pro/calendar", "/pro/calendar?view=month&date=2030-12-24", PROVIDER)
    yield PageState("/pro/calendar", "/pro/calendar?date=2030-12-24", PROVIDER)
    yield PageState("/pro/hours", "/pro/hours", PROVIDER, "saved", _send("Save hours"))


def _staff(market: FullMarket) -> Iterator[PageState]:
    yield from _administration(market)
    yield from _deciding(market)


def _deciding(market: FullMarket) -> Iterator[PageState]:
    waiting = f"/admin/approvals/{market.waiting_id}"
    yield PageState("/admin/approvals", "/admin/approvals", STAFF)
    yield PageState("/admin/approvals/{provider_id}", waiting, STAFF)
    yield PageState("/admin/approvals/{provider_id}", waiting, STAFF, "refused", _send("Reject profile"))
    yield PageState("/admin/approvals/{provider_id}", f"/admin/approvals/{market.provider.id}", STAFF)
    public = f"/admin/approvals/{market.provider.id}"
    yield PageState("/admin/approvals/{provider_id}", public, STAFF, "refused", _send("Suspend with this reason"))
    picture = f"{public}/pictures/{market.picture_id}"
    yield PageState("/admin/approvals/{provider_id}/pictures/{picture_id}", picture, STAFF)
    yield PageState("/admin/providers", "/admin/providers", STAFF)
    yield PageState("/admin/providers", "/admin/providers?q=nothing", STAFF, "empty")
    yield PageState("/admin/audit", "/admin/audit", STAFF)
    yield PageState("/admin/reviews", "/admin/reviews", STAFF)
    yield PageState("/admin/reviews", "/admin/reviews?state=hidden", STAFF, "empty")
    claim = f"/admin/claims/{market.claim_id}"
    yield PageState("/admin/claims/{claim_id}", claim, STAFF)
    yield PageState("/admin/claims/{claim_id}", claim, STAFF, "refused", _send("Decline claim"))
    yield PageState("/p/{id_or_slug}/claim", f"/p/{market.unclaimed_slug}/claim", PROVIDER, is_variant=True)
    yield PageState("/p/{id_or_slug}/claim", f"/p/{market.unclaimed_slug}/claim", STAFF, is_variant=True)
    yield PageState("/admin/migrations", "/admin/migrations", STAFF)


def _administration(market: FullMarket) -> Iterator[PageState]:
    yield PageState("/admin", "/admin", STAFF)
    yield PageState("/admin/search", "/admin/search", STAFF)
    yield PageState("/admin/search", "/admin/search?words=nora", STAFF, "found")
    yield PageState("/admin/accounts", "/admin/accounts", STAFF)
    yield PageState("/admin/bookings", "/admin/bookings", STAFF)
    yield PageState("/admin/bookings", "/admin/bookings?words=zzzz", STAFF, "nothing")
    yield PageState("/admin/payments", "/admin/payments", STAFF)
    yield PageState("/admin/jobs", "/admin/jobs", STAFF)
    yield PageState("/admin/jobs/requeue", "/admin/jobs/requeue", STAFF)
    yield PageState("/admin/mail", "/admin/mail", STAFF)
    yield PageState("/admin/limits", "/admin/limits", STAFF)
    confirmed = market.bookings["confirmed"]
    booking, account = f"/admin/bookings/{confirmed.id}", f"/admin/accounts/{confirmed.customer_id}"
    yield PageState("/admin/bookings/{booking_id}", booking, STAFF)
    yield PageState("/admin/bookings/{booking_id}/cancel", f"{booking}/cancel", STAFF)
    without_reason = _send("Cancel the booking")
    yield PageState("/admin/bookings/{booking_id}/cancel", f"{booking}/cancel", STAFF, "refused", without_reason)
    yield PageState("/admin/bookings/{booking_id}/refund", f"{booking}/refund", STAFF)
    yield PageState("/admin/bookings/{booking_id}/refund", f"{booking}/refund", STAFF, "refused", _send("Refund"))
    yield PageState("/admin/accounts/{user_id}", account, STAFF)
    for action in ("suspend", "restore", "end-sessions", "role"):
        yield PageState(f"/admin/accounts/{{user_id}}/{action}", f"{account}/{action}", STAFF)
    assert confirmed.payment is not None
    yield PageState("/admin/payments/{payment_id}", f"/admin/payments/{confirmed.payment.id}", STAFF)


def _services(market: FullMarket) -> Iterator[PageState]:
    yield PageState("/pro/services", "/pro/services", PROVIDER, "refused", _send("Add service", name="", price="much"))
    service = f"/pro/services/{market.provider.services[-1].id}"
    yield PageState("/pro/services/{service_id}", service, PROVIDER)
    too_few = _send("Save changes", min_people="9", max_people="4")
    yield PageState("/pro/services/{service_id}", service, PROVIDER, "refused", too_few)


def _refusals(market: FullMarket) -> Iterator[PageState]:
    unknown = "/{address:address_of_page}"
    yield PageState(unknown, "/nothing/here")
    yield PageState(unknown, "/nothing/here", STAFF)
    for role in (CUSTOMER, NEW_PROVIDER):
        yield PageState(unknown, "/nothing/here", role, is_variant=True)
    yield PageState("/pro", "/pro", CUSTOMER, "invitation")
    yield PageState("/pro", "/pro", STAFF, "forbidden")
    yield PageState("/admin/approvals", "/admin/approvals", PROVIDER, "forbidden")
    yield PageState("/book/{slug}", "/book/nothing", CUSTOMER, "not found", is_variant=True)
    unknown_booking = f"/me/bookings/{market.waiting_id}"
    yield PageState("/me/bookings/{booking_id}", unknown_booking, CUSTOMER, "not found", is_variant=True)

"""The bookings of a user: as a list by status, and one by one for either side, with every step that it allows."""

from collections.abc import Awaitable
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings, BookingStatus, BookingView, CancelIn, DeclineIn, EndedHolds, NextStep
from fairground.contracts.messaging import Messages
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.kernel.errors import DomainError
from fairground.kernel.inputs import PAGED_AT_MOST
from fairground.platform.http.identity import Caller, SignedIn
from fairground.platform.module import Links
from fairground.web.addresses import read_page_number
from fairground.web.forms import Form, FormModel, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.pictures import find_provider_picture
from fairground.web.rendering import Renderer
from fairground.web.site import Site
from fairground.web.threads import open_thread

PAGE_LENGTH: Final = 20
PAGES_MAX: Final = PAGED_AT_MOST // PAGE_LENGTH
SIDE: Final = "customer"


class ReviewForm(FormModel):
    rating: Annotated[int, Field(ge=1, le=5)]
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class BookingPages:
    renderer: Renderer
    accounts: Accounts
    providers: Providers
    bookings: Bookings
    reviews: Reviews
    messages: Messages

    async def show(
        self, request: Request, caller: Caller, *, booking_id: UUID, form: Form, status: int = 200, page: str = "page"
    ) -> Response:
        """Show the booking, or with another `page` the confirmation of a step."""
        booking = await self.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)
        if NextStep.CANCEL not in booking.next_steps:
            page = "page"
        reviews = await self.reviews.list_booking_reviews(booking_id=booking.id, viewer_id=caller.user_id)
        if any(review.side.value == booking.side for review in reviews):
            # The event of a review reaches the booking a moment after this page can read the review.
            steps = [step for step in booking.next_steps if step is not NextStep.REVIEW]
            booking = booking.model_copy(update={"next_steps": steps})
        shown = None
        if page == "page":
            shown = await open_thread(self.messages, request, user_id=caller.user_id, booking_id=booking.id)
        return self.renderer.page(
            request,
            f"one_booking/{page}.html",
            status=status,
            viewer=caller,
            booking=booking,
            customer_name=await self.customer_name(booking),
            shown=shown,
            picture=await find_provider_picture(self.providers, slug=booking.provider_slug),
            reviews=reviews,
            form=form,
        )

    async def customer_name(self, booking: BookingView) -> str:
        customers = await self.accounts.find_users(user_ids=[booking.customer_id])
        return customers[booking.customer_id].name if booking.customer_id in customers else ""

    async def carry_out(
        self,
        request: Request,
        caller: Caller,
        *,
        booking_id: UUID,
        form: Form,
        step: Awaitable[Any],
        page: str = "page",
    ) -> Response:
        """Carry out a step and redirect to the booking, or show the booking with the reason of the refusal."""
        try:
            await step
        except DomainError as refusal:
            return await self.show(
                request, caller, booking_id=booking_id, form=form.refused(refusal), status=422, page=page
            )
        return see_other(booking_path(booking_id))


def build_booking_pages(site: Site, links: Links) -> BookingPages:
    return BookingPages(
        renderer=site.renderer,
        accounts=links.of(Accounts),
        providers=links.of(Providers),
        bookings=links.of(Bookings),
        reviews=links.of(Reviews),
        messages=links.of(Messages),
    )


def routes(site: Site, links: Links) -> APIRouter:
    pages = build_booking_pages(site, links)
    router = page_router(pages.renderer)
    _add_list(router, pages)
    _add_booking(router, pages)
    _add_steps_of_both_sides(router, pages)
    _add_steps_of_the_provider(router, pages)
    return router


def _add_list(router: APIRouter, pages: BookingPages) -> None:
    @router.get("/me")
    async def redirect_to_bookings() -> Response:
        return see_other("/me/bookings")

    @router.get("/me/bookings")
    async def list_bookings(request: Request, caller: SignedIn) -> Response:
        status, page = read_status(request), read_page(request)
        ended_holds = EndedHolds.ALONE if request.query_params.get("holds") == "ended" else EndedHolds.LEFT_OUT
        found = await pages.bookings.list_bookings(
            user_id=caller.user_id,
            side=SIDE,
            status=status,
            ended_holds=ended_holds,
            page=page,
            limit=PAGE_LENGTH,
        )
        return pages.renderer.page(
            request,
            "me/bookings.html",
            viewer=caller,
            bookings=found.data,
            wanted=status,
            shows_ended_holds=ended_holds is EndedHolds.ALONE,
            page=page,
            pages=ceil(found.total / PAGE_LENGTH),
        )


def read_status(request: Request) -> BookingStatus | None:
    """Return the status in the address; None, which means all of them, where it names none that exists."""
    try:
        return BookingStatus(request.query_params.get("status", ""))
    except ValueError:
        return None


def read_page(request: Request) -> int:
    return read_page_number(request.query_params.get("page"), most=PAGES_MAX)


def _add_booking(router: APIRouter, pages: BookingPages) -> None:
    @router.get("/me/bookings/{booking_id}")
    async def show_booking(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        return await pages.show(request, caller, booking_id=booking_id, form=Form())

    @router.get("/me/bookings/{booking_id}/cancel")
    async def confirm_cancel(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        return await pages.show(request, caller, booking_id=booking_id, form=Form(), page="cancel")

    @router.get("/me/bookings/{booking_id}/calendar.ics")
    async def download_calendar(caller: SignedIn, booking_id: UUID) -> Response:
        text = await pages.bookings.get_calendar(user_id=caller.user_id, booking_id=booking_id)
        headers = {"Content-Disposition": f'attachment; filename="booking-{booking_id}.ics"'}
        return Response(text, media_type="text/calendar", headers=headers)


def _add_steps_of_both_sides(router: APIRouter, pages: BookingPages) -> None:
    @router.post("/me/bookings/{booking_id}/cancel")
    async def cancel(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)

        async def step() -> None:
            expected = form.parse(CancelIn).expected_refund_minor
            booking = await pages.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)
            if booking.status is BookingStatus.CANCELLED:
                return  # confirmed twice, or in another tab: the page of the booking shows the result
            await pages.bookings.cancel(user_id=caller.user_id, booking_id=booking_id, expected_refund_minor=expected)

        return await pages.carry_out(request, caller, booking_id=booking_id, form=form, step=step(), page="cancel")

    @router.post("/me/bookings/{booking_id}/complete")
    async def complete(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        step = pages.bookings.complete(user_id=caller.user_id, booking_id=booking_id)
        return await pages.carry_out(request, caller, booking_id=booking_id, form=Form(), step=step)

    @router.post("/me/bookings/{booking_id}/review")
    async def review(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)

        async def step() -> None:
            answers = form.parse(ReviewForm)
            await pages.reviews.write_review(
                author_id=caller.user_id, booking_id=booking_id, rating=answers.rating, text=answers.text
            )

        return await pages.carry_out(request, caller, booking_id=booking_id, form=form, step=step())


def _add_steps_of_the_provider(router: APIRouter, pages: BookingPages) -> None:
    @router.post("/me/bookings/{booking_id}/accept")
    async def accept(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        step = pages.bookings.accept(owner_id=caller.user_id, booking_id=booking_id)
        return await pages.carry_out(request, caller, booking_id=booking_id, form=Form(), step=step)

    @router.post("/me/bookings/{booking_id}/decline")
    async def decline(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)

        async def step() -> None:
            reason = form.parse(DeclineIn).reason
            await pages.bookings.decline(owner_id=caller.user_id, booking_id=booking_id, reason=reason)

        return await pages.carry_out(request, caller, booking_id=booking_id, form=form, step=step())


def booking_path(booking_id: UUID) -> str:
    return f"/me/bookings/{booking_id}"

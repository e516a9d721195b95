"""The messages of a booking on its page, the part that brings new ones, and the inbox."""

from http import HTTPStatus
from typing import Final
from uuid import UUID, uuid5

from fastapi import APIRouter, Request
from starlette.responses import Response

from fairground.contracts.messaging import Messages
from fairground.kernel.errors import DomainError
from fairground.kernel.inputs import CURSOR_MAX_LENGTH
from fairground.platform.http.identity import SignedIn, Visitor
from fairground.platform.module import Links
from fairground.web.addresses import read_number
from fairground.web.forms import FormModel, read_form
from fairground.web.page_route import page_router, see_other
from fairground.web.pages.bookings import PAGE_LENGTH, BookingPages, booking_path, build_booking_pages
from fairground.web.site import Site
from fairground.web.threads import THREAD_PAGE_LENGTH, ShownThread, mark_shown

_SEQUENCE_MAX: Final = 2**53 - 1


class MessageForm(FormModel):
    form_id: UUID
    message: str = ""

    @property
    def client_message_id(self) -> UUID:
        """The same for a form that is sent twice; another one for another text, as after the back button."""
        return uuid5(self.form_id, self.message)


def routes(site: Site, links: Links) -> APIRouter:
    pages = build_booking_pages(site, links)
    router = page_router(pages.renderer)
    _add_thread(router, pages, pages.messages)
    _add_inbox(router, pages, pages.messages)
    return router


def _add_thread(router: APIRouter, pages: BookingPages, messages: Messages) -> None:
    @router.post("/me/bookings/{booking_id}/messages")
    async def send_message(request: Request, caller: SignedIn, booking_id: UUID) -> Response:
        form = await read_form(request)
        try:
            written = form.parse(MessageForm)
            message = await messages.send_message(
                sender_id=caller.user_id,
                booking_id=booking_id,
                text=written.message,
                client_message_id=written.client_message_id,
            )
        except DomainError as refusal:
            refused = form.refused(refusal, fields={"messaging.invalid": "message"})
            return await pages.show(request, caller, booking_id=booking_id, form=refused, status=refused.status)
        return see_other(f"{booking_path(booking_id)}#message-{message.sequence}")

    @router.get("/_f/me/bookings/{booking_id}/messages")
    async def show_new_messages(request: Request, caller: Visitor, booking_id: UUID) -> Response:
        after = read_number(request.query_params.get("after"), most=_SEQUENCE_MAX)
        # A reader whose sign-in has ended stays on the page, and keeps what they have typed.
        if caller is None or after is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        thread = await messages.get_thread(
            user_id=caller.user_id, booking_id=booking_id, after=after, limit=THREAD_PAGE_LENGTH
        )
        if not thread.data:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        await mark_shown(messages, thread, user_id=caller.user_id, booking_id=booking_id)
        booking = await pages.bookings.get_booking(user_id=caller.user_id, booking_id=booking_id)
        is_customer = booking.customer_id == caller.user_id
        return pages.renderer.part(
            "one_booking/_new_messages.html",
            booking=booking,
            other=booking.provider_name if is_customer else await pages.customer_name(booking),
            shown=ShownThread(thread),
        )


def _add_inbox(router: APIRouter, pages: BookingPages, messages: Messages) -> None:
    @router.get("/me/messages")
    async def show_inbox(request: Request, caller: SignedIn) -> Response:
        cursor = request.query_params.get("cursor", "")[:CURSOR_MAX_LENGTH] or None
        page = await messages.list_conversations(user_id=caller.user_id, limit=PAGE_LENGTH, cursor=cursor)
        return pages.renderer.page(request, "me/messages.html", viewer=caller, page=page, is_first=cursor is None)

    @router.get("/_f/me/messages/unread")
    async def show_unread_count(caller: Visitor) -> Response:
        count = await messages.count_unread(user_id=caller.user_id) if caller else 0
        if not count:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return pages.renderer.part("me/_unread.html", count=count)

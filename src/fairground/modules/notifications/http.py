"""JSON routes of notifications."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from fairground.contracts.dto import DTO
from fairground.contracts.notifications import MailNotFound, Notification, Notifications, StaffMailPage, StaffMails
from fairground.kernel.inputs import CURSOR_MAX_LENGTH, CursorInvalid, Input
from fairground.platform.http.identity import SignedIn, Staff
from fairground.platform.http.openapi import refuses
from fairground.platform.http.routing import api_router


class ReadIn(Input):
    notification_ids: list[UUID] = Field(max_length=100)


class NotificationsOut(DTO):
    data: list[Notification]
    next_cursor: str | None
    """None when nothing follows."""
    unread_count: int


class UnreadOut(DTO):
    unread_count: int


def routes(notifications: Notifications) -> APIRouter:
    router = api_router(tags=["notifications"])

    @router.get("/me/notifications")
    @refuses(CursorInvalid)
    async def list_notifications(
        caller: SignedIn,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[
            str | None, Query(max_length=CURSOR_MAX_LENGTH, description="`next_cursor` of the page before.")
        ] = None,
    ) -> NotificationsOut:
        """List your notifications, newest first."""
        page = await notifications.list_notifications(user_id=caller.user_id, limit=limit, cursor=cursor)
        return NotificationsOut(
            data=page.data,
            next_cursor=page.next_cursor,
            unread_count=await notifications.count_unread(user_id=caller.user_id),
        )

    @router.post("/me/notifications/read")
    async def mark_notifications_read(read: ReadIn, caller: SignedIn) -> UnreadOut:
        """Mark notifications as read. Ignores ids that aren't yours."""
        await notifications.mark_read(user_id=caller.user_id, notification_ids=read.notification_ids)
        return UnreadOut(unread_count=await notifications.count_unread(user_id=caller.user_id))

    return router


def staff_routes(mails: StaffMails) -> APIRouter:
    router = api_router(tags=["admin"])

    @router.get("/admin/mails")
    @refuses(CursorInvalid)
    async def list_mails(
        _caller: Staff,
        user_id: Annotated[UUID | None, Query(description="The account to which they went.")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: Annotated[str | None, Query(max_length=CURSOR_MAX_LENGTH)] = None,
    ) -> StaffMailPage:
        """List emails of the last 90 days, the newest first; those with links of accounts are not kept."""
        return await mails.list_mails(user_id=user_id, cursor=cursor, limit=limit)

    @router.post("/admin/mails/{mail_id}/resend", status_code=HTTPStatus.ACCEPTED)
    @refuses(MailNotFound)
    async def resend_mail(mail_id: UUID, caller: Staff) -> None:
        """Send an email again, if what it says is still true."""
        await mails.resend_mail(staff_id=caller.user_id, mail_id=mail_id)

    return router

"""JSON routes of notifications."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field

from fairground.contracts.dto import DTO
from fairground.contracts.notifications import Notification, Notifications
from fairground.platform.http.bodies import Body
from fairground.platform.http.identity import SignedIn
from fairground.platform.http.routing import api_router


class ReadIn(Body):
    notification_ids: list[UUID] = Field(max_length=100)


class NotificationsOut(DTO):
    data: list[Notification]
    unread_count: int


class UnreadOut(DTO):
    unread_count: int


def routes(notifications: Notifications) -> APIRouter:
    router = api_router(tags=["notifications"])

    @router.get("/me/notifications")
    async def list_notifications(caller: SignedIn, limit: Annotated[int, Query(ge=1, le=100)] = 20) -> NotificationsOut:
        """List what you were told, the newest first."""
        return NotificationsOut(
            data=await notifications.list_notifications(user_id=caller.user_id, limit=limit),
            unread_count=await notifications.count_unread(user_id=caller.user_id),
        )

    @router.post("/me/notifications/read")
    async def mark_read(read: ReadIn, caller: SignedIn) -> UnreadOut:
        """Mark what you have seen as read. Ids that are not yours are left alone."""
        await notifications.mark_read(user_id=caller.user_id, notification_ids=read.notification_ids)
        return UnreadOut(unread_count=await notifications.count_unread(user_id=caller.user_id))

    return router

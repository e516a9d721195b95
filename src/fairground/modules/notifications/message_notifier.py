"""Notifications and emails about messages: at most one until the recipient has read, or one an hour."""

from dataclasses import replace
from typing import ClassVar
from uuid import UUID

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.messaging import ConversationRead, Messages, MessageSent, ThreadMessage
from fairground.kernel.ids import uuid7
from fairground.kernel.messages import Job
from fairground.modules.notifications import store
from fairground.modules.notifications.domain import (
    MESSAGE_MAIL_DELAY,
    Audience,
    NotificationRecord,
    UnreadStretch,
    next_stretch,
    quote,
)
from fairground.modules.notifications.emails import EmailSender, SendEmail
from fairground.modules.notifications.service import NotificationRenderer
from fairground.platform.db.database import Database
from fairground.platform.jobs.lifecycle import CancelJob


class SendMessageEmail(Job):
    """Is due after `MESSAGE_MAIL_DELAY`, and sends nothing when the recipient has read the message by then."""

    topic: ClassVar = "notifications.send_message_mail.v1"
    max_attempts: ClassVar = SendEmail.max_attempts
    notification_id: UUID
    conversation_id: UUID
    sequence: int


class MessageNotifier:
    def __init__(
        self,
        *,
        db: Database,
        renderer: NotificationRenderer,
        emails: EmailSender,
        messages: Messages,
        bookings: Bookings,
        accounts: Accounts,
    ) -> None:
        self._db = db
        self._renderer = renderer
        self._emails = emails
        self._messages = messages
        self._bookings = bookings
        self._accounts = accounts

    async def notify_recipient(self, event: MessageSent) -> None:
        found = await self._messages.find_message(conversation_id=event.conversation_id, sequence=event.sequence)
        if found is None or found.recipient_read_sequence >= event.sequence:
            return
        notification = await self._render(event, found.message)
        async with self._db.write(ends_job=True) as tx:
            now = await tx.current_time()
            last = await store.find_last(tx, user_id=event.recipient_id, topic=event.topic, subject_id=event.subject_id)
            stretch = next_stretch(
                read_sequence=found.recipient_read_sequence,
                last=UnreadStretch.of_occasion(last.occasion) if last else None,
                last_at=last.created_at if last else None,
                now=now,
            )
            if stretch is None:
                return
            notification, notification_id = replace(notification, occasion=stretch.occasion), uuid7()
            if await store.insert_notification(tx, notification, notification_id=notification_id, created_at=now):
                job = SendMessageEmail(
                    notification_id=notification_id, conversation_id=event.conversation_id, sequence=event.sequence
                )
                await tx.enqueue(job, delay=MESSAGE_MAIL_DELAY)

    async def _render(self, event: MessageSent, message: ThreadMessage) -> NotificationRecord:
        booking = await self._bookings.describe_booking(booking_id=event.subject_id)
        audience = Audience(event.side.other)
        if audience is Audience.CUSTOMER:
            name = booking.provider_name
        else:
            name = (await self._accounts.get_user(user_id=booking.customer_id)).name
        return self._renderer.render(
            event.topic,
            audience=audience,
            user_id=event.recipient_id,
            subject_id=event.subject_id,
            booking=booking,
            sender_name=name,
            quoted=quote(message.text),
        )

    async def send_unless_read(self, job: SendMessageEmail) -> None:
        found = await self._messages.find_message(conversation_id=job.conversation_id, sequence=job.sequence)
        if found is None or found.recipient_read_sequence >= job.sequence:
            raise CancelJob(f"Message {job.sequence} of the conversation {job.conversation_id} is read by now.")
        await self._emails.send(SendEmail(notification_id=job.notification_id))

    async def mark_read(self, event: ConversationRead) -> None:
        """Mark the notifications about messages that their recipient has read in the conversation itself."""
        async with self._db.write(ends_job=True) as tx:
            unread = await store.list_unread(
                tx, user_id=event.reader_id, topic=MessageSent.topic, subject_id=event.subject_id
            )
            read = [
                notification_id
                for notification_id, occasion in unread
                if UnreadStretch.of_occasion(occasion).read_sequence < event.read_sequence
            ]
            if read:
                await store.mark_read(tx, user_id=event.reader_id, notification_ids=read)

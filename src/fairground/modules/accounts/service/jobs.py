"""Work that accounts ask of themselves."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job, Priority, Queue


class MailVerification(Job):
    topic: ClassVar = "accounts.mail_verification.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID


class MailReset(Job):
    topic: ClassVar = "accounts.mail_reset.v1"
    queue: ClassVar = Queue.MAIL
    priority: ClassVar = Priority.HIGH
    user_id: UUID


class DropExpired(Job):
    topic: ClassVar = "accounts.drop_expired.v1"

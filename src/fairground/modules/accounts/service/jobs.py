"""Work that accounts ask of themselves."""

from typing import ClassVar
from uuid import UUID

from fairground.kernel.messages import Job


class MailVerification(Job):
    topic: ClassVar = "accounts.mail_verification.v1"
    is_awaited: ClassVar = True
    user_id: UUID


class MailReset(Job):
    topic: ClassVar = "accounts.mail_reset.v1"
    is_awaited: ClassVar = True
    user_id: UUID


class DropExpired(Job):
    topic: ClassVar = "accounts.drop_expired.v1"

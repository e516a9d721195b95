"""Messages: facts that happened (events) and work to be done (jobs).

Both are written with `tx.emit` / `tx.enqueue` in the transaction of the change they follow from, delivered at least
once, and handled idempotently. They carry ids and facts, never rows and never secrets.
"""

from enum import IntEnum, StrEnum
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Queue(StrEnum):
    """The queues. Each has its own concurrency in a worker, so a full queue delays no other one."""

    DEFAULT = "default"
    MAIL = "mail"
    MONEY = "money"
    PICTURES = "pictures"
    DISCOVERY = "discovery"


class Priority(IntEnum):
    """The order within a queue, lower numbers first. The job table refuses other numbers."""

    HIGH = 10
    """A reader waits for the result, or a page promises to follow the change within seconds."""
    NORMAL = 100


class Message(BaseModel):
    """Base of all messages. Unknown fields are ignored, so that an older consumer reads a newer message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    """`<module>.<past participle or verb phrase>.v<N>`; public, versioned, never renamed."""

    queue: ClassVar[str] = Queue.DEFAULT
    """Where the message waits, unless the module that handles it names another queue."""

    priority: ClassVar[Priority] = Priority.NORMAL


class Event(Message):
    """A fact in the past tense. Every subscriber gets its own delivery."""


class Job(Message):
    """Work that a module enqueues for itself."""

    max_attempts: ClassVar[int] = 10

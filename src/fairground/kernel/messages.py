"""Messages: facts that are told (events) and work that is asked for (jobs).

Both are written with `tx.emit` / `tx.enqueue` in the transaction of the change they follow from, delivered at least
once, and handled idempotently. They carry ids and facts, never rows and never secrets.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Message(BaseModel):
    """Base of all messages. Unknown fields are ignored, so that an older consumer reads a newer message."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: ClassVar[str]
    """`<module>.<past participle or verb phrase>.v<N>`; public, versioned, never renamed."""

    is_awaited: ClassVar[bool] = False
    """Whether somebody sits before a screen until it is handled, or something is promised to follow it within seconds.

    It then goes before a long queue of others.
    """


class Event(Message):
    """A fact in the past tense. Every subscriber gets its own delivery."""


class Job(Message):
    """Work that one module asks of itself."""

    max_attempts: ClassVar[int] = 10

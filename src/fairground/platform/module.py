"""What a module contributes to the program that is composed of it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fastapi import APIRouter

from fairground.kernel.messages import Job, Message
from fairground.platform.db.history import History

Handler = Callable[[Any], Awaitable[None]]


@dataclass(frozen=True)
class Schedule:
    """A job that is asked for again and again, whichever worker is there, and once at the start when it says so."""

    job: Job
    every: timedelta
    runs_at_start: bool = False


@dataclass(frozen=True)
class Module:
    """One module, built. `handlers` maps each message it takes to the function that takes it."""

    name: str
    history: History
    routers: Sequence[APIRouter] = ()
    handlers: Mapping[type[Message], Handler] = field(default_factory=dict)
    schedules: Sequence[Schedule] = ()
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None

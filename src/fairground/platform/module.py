"""What a module contributes to the program, and the links by which modules find each other's contracts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

from fastapi import APIRouter

from fairground.kernel.messages import Job, Message, Queue
from fairground.platform.db.history import History
from fairground.platform.measures import Measure

Handler = Callable[[Any], Awaitable[None]]
_Contract = TypeVar("_Contract")


@dataclass(frozen=True)
class Schedule:
    """A job that some worker enqueues at an interval, and once at the start if `runs_at_start`."""

    job: Job
    every: timedelta
    runs_at_start: bool = False


@dataclass(frozen=True)
class Projection:
    """Says that the newest of the waiting messages with one key does the work of all of them, for one handler.

    That holds where a handler brings something up to date: from what is there when it runs, or from the facts of the
    message with the highest version.
    """

    key: Callable[[Any], Hashable]
    version: Callable[[Any], Any] = lambda _message: 0
    """Which of two messages is newer; equal ones by the time at which they were stored. A handler that reads what is
    there needs none."""


class Referrer(Protocol):
    """Knows which stored files a module needs."""

    async def find_referred(self, keys: Sequence[str]) -> Collection[str]:
        """Return those of the keys that something refers to, or that must stay for another reason."""
        ...


@dataclass(frozen=True)
class DemoContent:
    """What a demo contains so far, for a module that adds to it."""

    customer_ids: Sequence[UUID]
    provider_ids: Sequence[UUID]
    """Approved providers alone."""


class CheckStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "wrong"  # commands print this word, and scripts may read it


@dataclass(frozen=True)
class CheckResult:
    """What a check says of one part that the program depends on."""

    status: CheckStatus
    text: str


@dataclass(frozen=True)
class Check:
    """A question that an operator asks of an installation; `subject` groups the checks that one command runs."""

    subject: str
    run: Callable[[], AsyncIterator[CheckResult]]


@dataclass(frozen=True)
class Module:
    """One module, built: everything by which the program runs it."""

    name: str
    """Prefix of its tables, and its name as a consumer of events."""
    history: History | None = None
    """Its migrations; None for a part without tables."""
    routers: Sequence[APIRouter] = ()
    """Routes below /api/v1."""
    pages: Sequence[APIRouter] = ()
    """Routes outside /api/v1."""
    handlers: Mapping[type[Message], Handler] = field(default_factory=dict)
    """The function that takes each message."""
    projections: Mapping[type[Message], Projection] = field(default_factory=dict)
    """Which of the messages replace older ones of the same key."""
    queue: Queue | None = None
    """Where all messages wait that it handles; None leaves that to each message."""
    schedules: Sequence[Schedule] = ()
    referrers: Sequence[Referrer] = ()
    """Which stored files it refers to."""
    checks: Sequence[Check] = ()
    measure: Callable[[], Iterable[Measure]] | None = None
    """What it counts, as metrics show it."""
    demo: Callable[[DemoContent], Awaitable[None]] | None = None
    """Adds its part to the demo, after the accounts, providers and bookings are there."""
    start: Callable[[], Awaitable[None]] | None = None
    stop: Callable[[], Awaitable[None]] | None = None


class Links:
    """Contracts and their implementations. A module is built after those that it calls."""

    def __init__(self) -> None:
        self._implementations: dict[type[Any], object] = {}

    def provide(self, contract: type[_Contract], implementation: _Contract) -> None:
        self._implementations[contract] = implementation

    def of(self, contract: type[_Contract]) -> _Contract:
        """Return the implementation of a contract.

        Raises:
            LookupError: No module has provided it yet: the modules are built in the wrong order.
        """
        try:
            return cast("_Contract", self._implementations[contract])
        except KeyError:
            raise LookupError(
                f"No module provides the contract '{contract.__name__}' yet. Build the module that does first;"
                " MODULES in entrypoints/settings.py is the order."
            ) from None

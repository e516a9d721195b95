"""Messages become rows of the job table: which handlers take a message, and the outbox that stores it for them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from fairground.kernel.messages import Event, Job, Message, Queue
from fairground.platform.db.database import WriteTx
from fairground.platform.jobs import store
from fairground.platform.jobs.leases import check_fence
from fairground.platform.jobs.lifecycle import current_job
from fairground.platform.module import Handler, Projection

EVENT_MAX_ATTEMPTS: Final = Job.max_attempts
_NONE: Final[Mapping[type[Message], Projection]] = {}


class UnknownQueue(ValueError):
    """A message names a queue that no worker claims from; the text lists the queues that exist."""


@dataclass(frozen=True)
class Route:
    """One consumer of one topic."""

    kind: str
    queue: Queue
    message_class: type[Message]
    handler: Handler
    projection: Projection | None = None
    """How waiting messages of this consumer replace each other; None where each has effects of its own."""

    def parse(self, payload: Mapping[str, Any]) -> Message:
        return self.message_class.model_validate(payload)


class Routes:
    """The handlers of every module of this program, filled while it is composed."""

    def __init__(self) -> None:
        self._by_kind: dict[str, Route] = {}
        self._by_topic: dict[str, list[Route]] = {}

    def add(
        self,
        consumer: str,
        *,
        handlers: Mapping[type[Message], Handler],
        queue: Queue | None = None,
        projections: Mapping[type[Message], Projection] = _NONE,
    ) -> None:
        """Register the handlers of a consumer, named as its module.

        Args:
            queue: Where all messages of this consumer wait; None leaves that to each message.
            projections: Messages that replace older ones of the same key.

        Raises:
            UnknownQueue: A message or the consumer names a queue that does not exist.
            ValueError: The consumer has one topic twice, or a job that another module handles already.
        """
        for message_class, handler in handlers.items():
            topic = message_class.topic
            kind = f"{consumer}:{topic}"
            if kind in self._by_kind:
                raise ValueError(f"'{consumer}' takes '{topic}' twice; a topic has one handler in a module.")
            if issubclass(message_class, Job) and topic in self._by_topic:
                raise ValueError(f"'{topic}' is a job and has two handlers; only an event may have several.")
            known = _known(queue or message_class.queue, kind=kind)
            route = Route(kind, known, message_class, handler, projections.get(message_class))
            self._by_kind[kind] = route
            self._by_topic.setdefault(topic, []).append(route)

    @property
    def kinds(self) -> list[str]:
        return sorted(self._by_kind)

    def of(self, kind: str) -> Route:
        return self._by_kind[kind]

    def subscribers(self, event: Event) -> Sequence[Route]:
        """Return the consumers that an event is delivered to; none, when no module handles it."""
        return self._by_topic.get(event.topic, [])

    def handler_of(self, job: Job) -> Route:
        """Return the one consumer of a job.

        Raises:
            LookupError: No module has a handler for it.
        """
        try:
            (route,) = self._by_topic[job.topic]
        except KeyError:
            raise LookupError(
                f"The job '{job.topic}' has no handler. Add {type(job).__name__} to the handlers in its module.py."
            ) from None
        return route


def _known(queue: str, *, kind: str) -> Queue:
    try:
        return Queue(queue)
    except ValueError:
        raise UnknownQueue(
            f"'{kind}' names the queue '{queue}'; there are {', '.join(Queue)}. Name one of them, or add a queue to"
            " kernel.messages.Queue and its concurrency to JobSettings."
        ) from None


class JobOutbox:
    """Stores messages, and guards the writes of running jobs by their fence."""

    def __init__(self, routes: Routes) -> None:
        self.wake = asyncio.Event()
        """Set when this process has stored messages, so that its worker looks for jobs at once."""
        self.commits = 0
        """How many transactions of this process have stored messages."""
        self.routes = routes

    async def begin(self, tx: WriteTx, *, ends_job: bool) -> None:
        """Check the fence of the current job, if there is one.

        Raises:
            LostLease, AlreadyFinished: Nothing of this transaction may be kept.
        """
        job = current_job()
        if job is not None:
            await check_fence(tx, job, ends_job=ends_job)

    async def emit(self, tx: WriteTx, event: Event) -> None:
        await self._insert(tx, event, self.routes.subscribers(event), max_attempts=EVENT_MAX_ATTEMPTS)

    async def enqueue(self, tx: WriteTx, job: Job, *, delay: timedelta, dedup_key: str | None) -> None:
        routes = [self.routes.handler_of(job)]
        await self._insert(tx, job, routes, max_attempts=job.max_attempts, delay=delay, dedup_key=dedup_key)

    def committed(self, tx: WriteTx, *, ends_job: bool) -> None:
        job = current_job()
        if job is not None and ends_job:
            job.is_ended = True
        if tx.has_messages:
            self.commits += 1
            self.wake.set()

    async def _insert(
        self,
        tx: WriteTx,
        message: Message,
        routes: Sequence[Route],
        *,
        max_attempts: int,
        delay: timedelta = timedelta(0),
        dedup_key: str | None = None,
    ) -> None:
        queues = {route.kind: route.queue for route in routes}
        await store.insert_jobs(tx, message, queues=queues, max_attempts=max_attempts, delay=delay, dedup_key=dedup_key)

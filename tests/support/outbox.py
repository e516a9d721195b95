"""An outbox for tests of parts below the job table."""

from datetime import timedelta

from fairground.kernel.messages import Event, Job
from fairground.platform.db.database import WriteTx


class RecordingOutbox:
    """Remembers what was said, whether or not its transaction committed."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.jobs: list[Job] = []
        self.wakes = 0
        self.followed = 0
        """How many of the events a read model has followed."""

    async def begin(self, tx: WriteTx, *, ends_job: bool) -> None:
        pass

    async def emit(self, tx: WriteTx, event: Event) -> None:  # noqa: ARG002
        self.events.append(event)

    async def enqueue(self, tx: WriteTx, job: Job, *, delay: timedelta, dedup_key: str | None) -> None:  # noqa: ARG002
        self.jobs.append(job)

    def committed(self, tx: WriteTx, *, ends_job: bool) -> None:  # noqa: ARG002
        self.wakes += tx.has_messages

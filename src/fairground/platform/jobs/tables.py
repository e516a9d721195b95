"""The one job table, which is outbox and queue, and the table of schedules."""

from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Integer, MetaData, SmallInteger, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from fairground.platform.db.dialect.columns import BUSY_TABLE, only_where
from fairground.platform.db.history import History
from fairground.platform.db.types import NAMING_CONVENTION, TYPE_ANNOTATION_MAP


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = TYPE_ANNOTATION_MAP


class JobRow(Base):
    """A message for one consumer: what is to be done, which worker holds it, and how it went."""

    __tablename__ = "jobs_job"
    __table_args__ = (
        CheckConstraint("state IN ('ready', 'running', 'done', 'dead')", name="state"),
        # `kernel.messages.Priority`. A claim reads these two alone, so a job with another one would never run.
        CheckConstraint("priority IN (10, 100)", name="priority"),
        # A claim reads one range of it for each queue and priority, however many jobs wait for a later date.
        Index("ix_jobs_job__ready", "queue", "priority", "run_at", "id", **only_where("state = 'ready'")),
        # Nothing indexes lease_until: a heartbeat then changes the row and no index.
        Index("ix_jobs_job__running", "id", **only_where("state = 'running'")),
        Index("ix_jobs_job__finished", "state", "finished_at", "id", **only_where("finished_at IS NOT NULL")),
        Index(
            "uq_jobs_job__dedup_key",
            "kind",
            "dedup_key",
            unique=True,
            **only_where("dedup_key IS NOT NULL AND state IN ('ready', 'running')"),
        ),
        BUSY_TABLE,
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    """`<consumer>:<topic>`. A worker claims only the kinds that its code knows; others wait for newer code."""
    queue: Mapped[str] = mapped_column(Text)
    """What the job shares its concurrency with. A worker claims only from the queues that its code knows."""
    priority: Mapped[int] = mapped_column(SmallInteger)
    """The order within the queue, lower numbers first."""
    payload: Mapped[dict[str, Any] | None]
    """The message; NULL when the job is done."""
    state: Mapped[str] = mapped_column(Text)
    run_at: Mapped[datetime]
    attempt: Mapped[int] = mapped_column(Integer)
    """Counted when a worker starts the job, so that a run which kills its process uses up an attempt too."""
    max_attempts: Mapped[int] = mapped_column(Integer)
    crashes: Mapped[int] = mapped_column(Integer)
    """How often the job was rescued from a worker. It may be the cause, so it runs alone from then on."""
    fence: Mapped[int]
    """Grows with every claim. A write for the job proves by it that its worker still holds the job."""
    lease_until: Mapped[datetime | None]
    worker: Mapped[str | None] = mapped_column(Text)
    dedup_key: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    """NULL while a worker has claimed the job and not started it."""
    finished_at: Mapped[datetime | None]


class ScheduleRow(Base):
    """When a scheduled job is due next. The first worker to look enqueues it and moves the date on."""

    __tablename__ = "jobs_schedule"

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    next_at: Mapped[datetime]


history = History(name="jobs", metadata=Base.metadata, folder=Path(__file__).parent / "migrations")

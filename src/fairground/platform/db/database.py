"""Transactions: `Database.read()` and `Database.write()`, and what can be done inside them."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final, Protocol

from sqlalchemy import Select, bindparam, literal, select
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql import ClauseElement, Executable
from sqlalchemy.sql.elements import ColumnElement

from fairground.kernel.messages import Event, Job
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.dialect.base import Backend, Executor, SQLOps, Statement, WriteExecutor
from fairground.platform.db.dialect.columns import TimeShift
from fairground.platform.db.dialect.prepared import Prepared, Values
from fairground.platform.db.statements import StatementWatch
from fairground.platform.measures import DurationHistogram

_AT_ONCE: Final = timedelta(0)
Names = tuple[str, ...]


class Outbox(Protocol):
    """Stores messages in the transaction that causes them. Implemented by `platform.jobs`."""

    async def begin(self, tx: "WriteTx", *, ends_job: bool) -> None:
        """Check, at the start of every write of a running job, that this worker still has its lease.

        Raises:
            LostLease: Another worker has taken the job over, so this one may not write.
        """
        ...

    async def emit(self, tx: "WriteTx", event: Event) -> None: ...

    async def enqueue(self, tx: "WriteTx", job: Job, *, delay: timedelta, dedup_key: str | None) -> None: ...

    def committed(self, tx: "WriteTx", *, ends_job: bool) -> None:
        """Note that a transaction is kept, and wake the workers that wait for messages if it stored some."""
        ...


class TagInvalidation(Protocol):
    """Invalidates the cached responses that a transaction names by their tags. Implemented by `platform.cache`."""

    async def enqueue(self, tx: "WriteTx", tags: Collection[str]) -> Any:
        """Enqueue the job that invalidates the tags, and return it."""
        ...

    async def apply(self, job: Any) -> None:
        """Invalidate the tags of a job whose transaction has committed. Never raises: the job repeats what failed."""
        ...


class ReadTx:
    """A transaction that cannot write.

    Each statement sees one moment of the database. On SQLite all statements of a transaction see the same moment; on
    PostgreSQL (READ COMMITTED) each sees what has been committed when it begins. Values that must be consistent are
    read by one statement.
    """

    def __init__(self, executor: Executor, ops: SQLOps, shift: timedelta) -> None:
        self._executor = executor
        self.clock_shift = shift
        self.ops = ops

    def now(self, plus: timedelta = _AT_ONCE) -> ColumnElement[Any]:
        """Return the database's clock, moved by `plus`, as an SQL expression."""
        return self.ops.now(literal(self.clock_shift + plus, TimeShift()))

    async def current_time(self) -> datetime:
        moment: datetime = await self.scalar(_current_time(self.ops), {"now": self.clock_shift})
        return moment

    async def prefer_indexes(self) -> None:
        """Make the planner avoid table scans for the rest of this transaction, where its dialect needs that."""
        statement = self.ops.prefer_indexes()
        if statement is not None:
            await self.all(statement)

    async def all(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Return all rows; `values` are the parameters of a statement that was built without them."""
        return (await self._executor.execute(statement, values)).all()

    async def one_or_none(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first row, or None when there is none; `values` as in `all`."""
        rows = await self.all(statement, values)
        return rows[0] if rows else None

    async def scalars(self, statement: Statement, values: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the first column of every row; `values` as in `all`."""
        return [row[0] for row in await self.all(statement, values)]

    async def scalar(self, statement: Statement, values: Mapping[str, Any] | None = None) -> Any:
        """Return the first column of the first row, or None when there is no row; `values` as in `all`."""
        row = await self.one_or_none(statement, values)
        return None if row is None else row[0]


class WriteTx(ReadTx):
    """A transaction that writes. All of it, messages included, is committed together or not at all."""

    def __init__(self, executor: WriteExecutor, ops: SQLOps, shift: timedelta, outbox: Outbox) -> None:
        super().__init__(executor, ops, shift)
        self._write_executor = executor
        self._outbox = outbox
        self.has_messages = False
        self.invalidated_tags: set[str] = set()

    def invalidate(self, *tags: str) -> None:
        """Name the tags of cached responses that this transaction invalidates when it commits.

        They are invalid when `Database.write` returns, so that every later response shows the change.
        """
        self.invalidated_tags.update(tags)

    async def execute(self, statement: Statement, values: Values = None) -> int:
        """Run a statement and return how many rows it changed.

        Args:
            values: Its parameters; a sequence of them runs it once for each, which a prepared statement does not.
        """
        return (await self._executor.execute(statement, values)).rowcount

    async def finish(self, statement: Prepared, values: Mapping[str, Any] | None = None) -> Sequence[Any]:
        """Run the last statement of this transaction, and return its rows, which cannot make it roll back any more.

        On PostgreSQL the commit is part of its message. Nothing may follow in the transaction.
        """
        return (await self._write_executor.execute_last(statement, values)).all()

    async def insert_ignore(self, row_class: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows that no unique constraint refuses and return how many those were."""
        # One statement per row: a statement over a list of rows is compiled each time. For many rows: `insert_many`.
        return sum([await self.execute(*_insert_ignore(self.ops, row_class, row)) for row in rows])

    async def insert_many(self, row_class: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> int:
        """Do what `insert_ignore` does for hundreds of rows, all of them of the same columns and of plain values.

        Raises:
            ValueError: A row has other columns than the first one.
        """
        if not rows:
            return 0
        columns = rows[0].keys()
        for row in rows:
            if row.keys() != columns:
                # One dialect would store nothing there, and the other leave the column out.
                raise ValueError(
                    f"All rows for {row_class.__tablename__} need the columns {sorted(columns)};"
                    f" one has {sorted(row.keys())}."
                )
        return await self.execute(*self.ops.insert_many(row_class.__table__, rows))

    async def upsert(
        self,
        row_class: type[DeclarativeBase],
        rows: Sequence[Mapping[str, Any]],
        *,
        key: Sequence[str],
        update: Sequence[str],
    ) -> int:
        """Insert the rows, or overwrite the `update` columns of a row with the same `key` columns."""
        return sum([await self.execute(*_upsert(self.ops, row_class, row, tuple(key), tuple(update))) for row in rows])

    async def lock(self, statement: Select[Any]) -> Sequence[Any]:
        """Select rows and keep others from changing them until this transaction ends."""
        return await self.all(self.ops.lock_rows(statement))

    async def emit(self, event: Event) -> None:
        """Store an event for its subscribers, if this transaction commits."""
        self.has_messages = True
        await self._outbox.emit(self, event)

    async def enqueue(self, job: Job, *, delay: timedelta = _AT_ONCE, dedup_key: str | None = None) -> None:
        """Store a job, if this transaction commits.

        Args:
            delay: From now, by the database's clock.
            dedup_key: While a job of this kind and key waits or runs, another one is not stored.
        """
        self.has_messages = True
        await self._outbox.enqueue(self, job, delay=delay, dedup_key=dedup_key)


@lru_cache(maxsize=2)  # one for each dialect
def _current_time(ops: SQLOps) -> Prepared:
    return Prepared(select(ops.now(bindparam("now", type_=TimeShift())).label("moment")))


def _insert_ignore(
    ops: SQLOps, row_class: type[DeclarativeBase], row: Mapping[str, Any]
) -> tuple[Statement, Mapping[str, Any] | None]:
    if _has_expression(row):
        return ops.insert(row_class.__table__).values(row).on_conflict_do_nothing(), None
    return _prepared_insert(ops, row_class, tuple(row)), row


@lru_cache(maxsize=256)
def _prepared_insert(ops: SQLOps, row_class: type[DeclarativeBase], names: Names) -> Prepared:
    # Inline: without a RETURNING for keys that the database makes.
    return Prepared(ops.insert(row_class.__table__).values(_parameters(names)).on_conflict_do_nothing().inline())


def _upsert(
    ops: SQLOps, row_class: type[DeclarativeBase], row: Mapping[str, Any], key: Names, update: Names
) -> tuple[Statement, Mapping[str, Any] | None]:
    if _has_expression(row):
        return _upsert_of(ops, row_class, row, key, update), None
    return _prepared_upsert(ops, row_class, tuple(row), key, update), row


@lru_cache(maxsize=256)
def _prepared_upsert(
    ops: SQLOps, row_class: type[DeclarativeBase], names: Names, key: Names, update: Names
) -> Prepared:
    return Prepared(_upsert_of(ops, row_class, _parameters(names), key, update))


def _upsert_of(
    ops: SQLOps, row_class: type[DeclarativeBase], row: Mapping[str, Any], key: Names, update: Names
) -> Executable:
    insert = ops.insert(row_class.__table__)
    changes = {name: insert.excluded[name] for name in update}
    return insert.values(row).on_conflict_do_update(index_elements=list(key), set_=changes)


def _parameters(names: Names) -> Mapping[str, Any]:
    return {name: bindparam(name) for name in names}


def _has_expression(row: Mapping[str, Any]) -> bool:
    return any(isinstance(value, ClauseElement) for value in row.values())


WriteGuard = Callable[[WriteTx], Awaitable[None]]


class Database:
    """The transactions of one database.

    `clock_shift` moves the database's clock for this process; only tests set it. `invalidation` receives the tags
    that writes name; without it, no response that can change is cached.
    """

    def __init__(
        self,
        url: str,
        *,
        outbox: Outbox,
        guards: Sequence[WriteGuard] = (),
        pool_size: int = 5,
        slow_seconds: float = 1.0,
        is_secondary: bool = False,
    ) -> None:
        """Open the database; connections are made when they are needed.

        Args:
            guards: Run at the start of every write, and refuse it by raising.
            pool_size: Connections kept to a server, readers of a file.
            slow_seconds: Statements that take as long are logged.
            is_secondary: True for a command that runs beside a server.

        Raises:
            DatabaseURLError: The URL cannot be used.
        """
        self.backend: Backend = open_backend(url, pool_size=pool_size, is_secondary=is_secondary)
        self.statements = StatementWatch(self.backend.engine, slow_seconds=slow_seconds)
        self.backend.observe = self.statements.record
        self.waits = {"read": DurationHistogram(), "write": DurationHistogram()}
        """How long transactions waited to begin: for a connection, and writes on a file for the writer."""
        self.clock_shift = _AT_ONCE
        self.invalidation: TagInvalidation | None = None
        self._outbox = outbox
        self._guards = guards

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadTx]:
        """Open a read-only transaction; the database refuses every write in it.

        Raises:
            DatabaseUnavailable: The database did not answer.
            DatabaseTimeout: A statement took longer than 10 s.
        """
        asked_at = time.perf_counter()
        async with self.backend.read() as executor:
            self.waits["read"].add(time.perf_counter() - asked_at)
            yield ReadTx(executor, self.backend.ops, self.clock_shift)

    @asynccontextmanager
    async def write(self, *, ends_job: bool = False) -> AsyncIterator[WriteTx]:
        """Open a transaction that commits when its block ends normally and rolls back when it raises.

        Args:
            ends_job: When this runs inside a job, mark the job done in the same transaction, so that its effects
                happen exactly once. Means nothing outside a job.

        Raises:
            DatabaseUnavailable: The database did not answer or could not write. Nothing was kept, unless the
                connection to PostgreSQL was lost during COMMIT: then the outcome is unknown, and the hint says so.
            LostLease: This runs inside a job that another worker has taken over.
        """
        asked_at = time.perf_counter()
        async with self.backend.write() as executor:
            self.waits["write"].add(time.perf_counter() - asked_at)
            tx = WriteTx(executor, self.backend.ops, self.clock_shift, self._outbox)
            await self._outbox.begin(tx, ends_job=ends_job)
            for guard in self._guards:
                await guard(tx)
            yield tx
            job = None
            if tx.invalidated_tags and self.invalidation is not None:
                job = await self.invalidation.enqueue(tx, tx.invalidated_tags)
        try:
            if job is not None and self.invalidation is not None:
                await self.invalidation.apply(job)
        finally:
            self._outbox.committed(tx, ends_job=ends_job)

    async def ping(self) -> None:
        """Raise DatabaseUnavailable when the database does not answer."""
        async with self.read() as tx:
            await tx.current_time()

    async def close(self) -> None:
        await self.backend.close()

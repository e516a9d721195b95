"""Transactions of a SQLite file: one writer with group commit, and readers whose statements have a time limit."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final, cast

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from fairground.platform.db.dialect import base
from fairground.platform.db.dialect.base import (
    COUNT_ROWS,
    DatabaseUnavailable,
    Executor,
    Observe,
    Rows,
    Statement,
    WriteExecutor,
)
from fairground.platform.db.dialect.prepared import Fetched, Prepared, Values

BUSY_TIMEOUT_SECONDS: Final = 5.0  # how long one process waits for another one's transaction
_BUSY_PAUSE_SECONDS: Final = 0.01
_STEPS_ON_THE_LOOP: Final = 30_000  # of SQLite's virtual machine: about a millisecond
_STEPS_BETWEEN_LOOKS: Final = 1_000_000  # at the clock, in a thread: some 30 ms

log = structlog.get_logger()


class _CommitGroup:
    """Transactions that share one COMMIT, and so one flush of the disk."""

    def __init__(self) -> None:
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.members = 0


class Writer:
    """The one connection that writes.

    The first transaction of a group sends BEGIN and queues the COMMIT behind the transactions that wait already; those
    run as savepoints of the same transaction. A fair lock is the only scheduler. Statements run on the event loop,
    because they take microseconds; the COMMIT, which waits for the disk, runs in a thread.
    """

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor, *, observe: Observe) -> None:
        self._connection = connection
        self._raw = raw_of(connection)
        self._threads = threads
        self._observe = observe
        self._turn = asyncio.Lock()
        self._group: _CommitGroup | None = None
        self._commits: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[WriteExecutor]:
        async with self._turn:
            group = self._group or await self._begin_group()
            self._run("SAVEPOINT member")
            try:
                yield self
            except BaseException:
                self._undo_member()
                raise
            self._run("RELEASE member")
            group.members += 1
        await asyncio.shield(group.committed)

    async def execute(self, statement: Statement, values: Values = None) -> Rows:
        try:
            if isinstance(statement, Prepared):
                return run_prepared(self._connection, statement, values, observe=self._observe)
            return self._connection.execute(statement, values, execution_options=COUNT_ROWS)
        except (OperationalError, sqlite3.OperationalError) as error:
            raise unavailable(error) from error

    async def execute_last(self, statement: Prepared, values: Values = None) -> Rows:
        return await self.execute(statement, values)  # its commit is no message, and others share it

    async def _begin_group(self) -> _CommitGroup:
        await self._begin_immediate()
        group = self._group = _CommitGroup()
        commit = asyncio.get_running_loop().create_task(self._commit_in_turn(group))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return group

    async def _begin_immediate(self) -> None:
        """Take the write lock, waiting for a secondary process without stopping the event loop."""
        deadline = asyncio.get_running_loop().time() + BUSY_TIMEOUT_SECONDS
        if self._raw.in_transaction:
            # A rollback has failed before; without this no write could begin again.
            self._rollback()
        while True:
            try:
                self._raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or asyncio.get_running_loop().time() > deadline:
                    raise unavailable(error) from error
                await asyncio.sleep(_BUSY_PAUSE_SECONDS)
            else:
                return

    async def _commit_in_turn(self, group: _CommitGroup) -> None:
        async with self._turn:
            self._group = None
            try:
                if self._raw.in_transaction:
                    await asyncio.get_running_loop().run_in_executor(self._threads, self._raw.execute, "COMMIT")
                elif group.members:
                    raise sqlite3.OperationalError("the transaction was rolled back by the database")
            except BaseException as error:
                # The members must get every error, else they would wait for ever.
                group.committed.set_exception(unavailable(error))
                group.committed.exception()  # a group without members has no reader
                self._rollback()
                if not isinstance(error, Exception):
                    raise
            else:
                group.committed.set_result(None)

    def _rollback(self) -> None:
        try:
            self._raw.rollback()
        except sqlite3.Error as error:
            log.warning("database.rollback_failed", reason=str(error))

    def _undo_member(self) -> None:
        # A full disk or an I/O error rolls the whole transaction back, and the savepoint with it.
        if self._raw.in_transaction:
            self._run("ROLLBACK TO member")
            self._run("RELEASE member")

    def _run(self, sql: str) -> None:
        try:
            self._raw.execute(sql)
        except sqlite3.OperationalError as error:
            raise unavailable(error) from error

    async def close(self) -> None:
        if self._commits:
            await asyncio.gather(*self._commits, return_exceptions=True)
        self._connection.close()


class ReaderPool:
    """Lends each connection to one transaction at a time.

    A slot is taken before a connection is opened and always released, so failures to open one never use up the slots. A
    connection that failed is closed; the next transaction opens another one.
    """

    def __init__(
        self, connect: Callable[[], Connection], *, size: int, threads: ThreadPoolExecutor, observe: Observe
    ) -> None:
        self._connect = connect
        self._observe = observe
        self._threads = threads
        self._size = size
        self._slots = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self._in_use = 0

    @property
    def in_use(self) -> int:
        return self._in_use

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Executor]:
        await self._take_slot()
        self._in_use += 1
        connection = None
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            raw_of(connection).execute("BEGIN")
            yield Reader(connection, self._threads, observe=self._observe)
            raw_of(connection).rollback()
        except BaseException as error:
            self._keep_or_close(connection, error)
            if isinstance(error, sqlite3.Error):
                raise unavailable(error) from error
            raise
        else:
            self._idle.append(connection)
        finally:
            self._in_use -= 1
            self._slots.release()

    async def _take_slot(self) -> None:
        try:
            async with asyncio.timeout(base.CONNECTION_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError:
            raise base.no_connection_free() from None

    def _keep_or_close(self, connection: Connection | None, error: BaseException) -> None:
        """Keep a connection whose transaction ended by an error of the caller; close one that may be broken."""
        if connection is None:
            return
        try:
            raw_of(connection).rollback()
        except sqlite3.Error:
            close_quietly(connection)
            return
        is_broken = isinstance(error, sqlite3.Error | DatabaseUnavailable)
        if is_broken and not isinstance(error, base.DatabaseTimeout):
            close_quietly(connection)
        else:
            self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()


class Reader:
    """Runs the statements of a read: each starts on the event loop, and a long one continues in a thread.

    A hop to a thread costs ten times what a small read does, and milliseconds when the loop is busy, because a thread
    waits that long for the interpreter; a scan on the loop, however, would stop every other task. SQLite counts its
    steps, by which the two are distinguished (measured, docs/benchmarks.md).
    """

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor, *, observe: Observe) -> None:
        self._connection = connection
        self._raw = raw_of(connection)
        self._threads = threads
        self._observe = observe

    async def execute(self, statement: Statement, values: Values = None) -> Rows:
        try:
            try:
                return self._fetch_a_little(statement, values)
            except (OperationalError, sqlite3.OperationalError) as error:
                if not _is_interruption(error):
                    raise
            return await self._fetch_in_thread(statement, values)
        except (OperationalError, sqlite3.OperationalError) as error:
            raise (base.read_timed_out(_reason(error)) if _is_interruption(error) else unavailable(error)) from error

    def _fetch_a_little(self, statement: Statement, values: Values) -> Rows:
        self._raw.set_progress_handler(lambda: 1, _STEPS_ON_THE_LOOP)
        try:
            return self._fetch(statement, values)
        finally:
            self._raw.set_progress_handler(None, 0)

    async def _fetch_in_thread(self, statement: Statement, values: Values) -> Rows:
        loop = asyncio.get_running_loop()
        give_up_at = time.monotonic() + base.READ_SECONDS
        # Set and cleared here, because an abandoned thread would clear the limit of the next transaction.
        self._raw.set_progress_handler(lambda: time.monotonic() > give_up_at, _STEPS_BETWEEN_LOOKS)
        try:
            fetched = await loop.run_in_executor(self._threads, self._fetch, statement, values)
        except asyncio.CancelledError:
            # The thread cannot be cancelled, but its statement can be stopped; else the connection stays busy.
            self._raw.interrupt()
            raise
        self._raw.set_progress_handler(None, 0)
        return fetched

    def _fetch(self, statement: Statement, values: Values) -> Rows:
        if isinstance(statement, Prepared):
            return run_prepared(self._connection, statement, values, observe=self._observe)
        result = self._connection.execute(statement, values)
        return Fetched(result.all(), result.rowcount)


def run_prepared(connection: Connection, statement: Prepared, values: Values, *, observe: Observe) -> Fetched:
    """Run a prepared statement on the driver's connection below SQLAlchemy's."""
    compiled = statement.compiled(connection.dialect)
    parameters, began_at = compiled.parameters(values), time.perf_counter()
    try:
        raw = raw_of(connection)
        run = raw.executemany if isinstance(parameters, list) else raw.execute
        cursor = run(compiled.sql, parameters)
        rows = cursor.fetchall()
    finally:
        observe(compiled.sql, parameters, time.perf_counter() - began_at)
    return Fetched(compiled.rows(rows, cursor), cursor.rowcount)


def raw_of(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def close_quietly(connection: Connection) -> None:
    """Close a connection that may be broken, and ignore an error of closing it."""
    try:
        connection.close()
    except (sqlite3.Error, OperationalError):
        connection.invalidate()


def unavailable(error: BaseException) -> DatabaseUnavailable:
    return base.unavailable(_reason(error) or type(error).__name__)


def _reason(error: BaseException) -> str:
    return str(getattr(error, "orig", None) or error)


def _is_interruption(error: OperationalError | sqlite3.OperationalError) -> bool:
    return getattr(getattr(error, "orig", error), "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT

"""The connections of a SQLite file that read: a fixed number, each with a time limit for its statements."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, Final, cast

from sqlalchemy import Connection
from sqlalchemy.engine.result import FrozenResult
from sqlalchemy.exc import OperationalError
from sqlalchemy.sql import Executable

from fairground.platform.db.dialect import base
from fairground.platform.db.dialect.base import DatabaseUnavailable, Executor, Rows, Values

_STEPS_ON_THE_LOOP: Final = 30_000  # of SQLite's virtual machine: about a millisecond
_STEPS_BETWEEN_LOOKS: Final = 1_000_000  # at the clock, in a thread: some 30 ms


class ReaderPool:
    """Lends each connection to one transaction at a time.

    A slot is taken before a connection is opened and given back whatever happens to the connection, so failures to
    open one never use up the slots. A connection that failed is closed; the next transaction opens another one.
    """

    def __init__(self, connect: Callable[[], Connection], *, size: int, threads: ThreadPoolExecutor) -> None:
        self._connect = connect
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
            yield Reader(connection, self._threads)
            raw_of(connection).rollback()
        except BaseException as error:
            self._give_up_or_keep(connection, error)
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

    def _give_up_or_keep(self, connection: Connection | None, error: BaseException) -> None:
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
    """Statements of a reader start on the event loop, and those that turn out long go on in a thread.

    A hop to a thread costs ten times what a small read does, and milliseconds when the loop is busy, because a thread
    waits that long for the interpreter; a scan on the loop, however, would stop every other task. SQLite counts
    its own steps, so it can tell the two apart (measured, docs/benchmarks.md).
    """

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._raw = raw_of(connection)
        self._threads = threads

    async def execute(self, statement: Executable, values: Values = None) -> Rows:
        try:
            try:
                return cast("Rows", self._fetch_a_little(statement, values)())
            except OperationalError as error:
                if not _is_interruption(error):
                    raise
            return cast("Rows", (await self._fetch_in_thread(statement, values))())
        except OperationalError as error:
            raise (base.read_timed_out(str(error.orig)) if _is_interruption(error) else unavailable(error)) from error

    def _fetch_a_little(self, statement: Executable, values: Values) -> FrozenResult[Any]:
        self._raw.set_progress_handler(lambda: 1, _STEPS_ON_THE_LOOP)
        try:
            return self._fetch(statement, values)
        finally:
            self._raw.set_progress_handler(None, 0)

    async def _fetch_in_thread(self, statement: Executable, values: Values) -> FrozenResult[Any]:
        loop = asyncio.get_running_loop()
        give_up_at = time.monotonic() + base.READ_SECONDS
        # Set and cleared here, because a thread that is given up would clear the limit of the next transaction.
        self._raw.set_progress_handler(lambda: time.monotonic() > give_up_at, _STEPS_BETWEEN_LOOKS)
        try:
            fetched = await loop.run_in_executor(self._threads, self._fetch, statement, values)
        except asyncio.CancelledError:
            # The thread cannot be cancelled, but its statement can be stopped; else the connection stays busy.
            self._raw.interrupt()
            raise
        self._raw.set_progress_handler(None, 0)
        return fetched

    def _fetch(self, statement: Executable, values: Values) -> FrozenResult[Any]:
        return self._connection.execute(statement, values).freeze()


def raw_of(connection: Connection) -> sqlite3.Connection:
    return cast("sqlite3.Connection", connection.connection.dbapi_connection)


def close_quietly(connection: Connection) -> None:
    """Close a connection that may be broken; its own error is of no use."""
    try:
        connection.close()
    except (sqlite3.Error, OperationalError):
        connection.invalidate()


def unavailable(error: BaseException) -> DatabaseUnavailable:
    return base.unavailable(str(getattr(error, "orig", None) or error) or type(error).__name__)


def _is_interruption(error: OperationalError) -> bool:
    return getattr(error.orig, "sqlite_errorcode", None) == sqlite3.SQLITE_INTERRUPT

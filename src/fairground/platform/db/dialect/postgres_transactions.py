"""Transactions of PostgreSQL: connections that stay open between them, and as few messages as each needs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar, cast

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fairground.platform.db.dialect import base
from fairground.platform.db.dialect.base import COUNT_ROWS, Observe, Rows, Statement
from fairground.platform.db.dialect.prepared import CompiledStatement, Fetched, Prepared, Values

# A booking waits for another one's commit and for nothing else, so a longer wait is a fault. SET LOCAL ends with the
# transaction, so a pooler may pass the connection on.
BEGIN_WRITE: Final = (
    "BEGIN; SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '5s';"
    " SET LOCAL idle_in_transaction_session_timeout = '10s'"
)
# A reader waits for a lock only while a migration changes a table.
_READ_LIMITS: Final = f"SET LOCAL lock_timeout = '3s'; SET LOCAL statement_timeout = '{base.READ_SECONDS}s'"
BEGIN_READ: Final = f"BEGIN READ ONLY; {_READ_LIMITS}; SET LOCAL idle_in_transaction_session_timeout = '30s'"
# Statements of one message are one transaction, which ends with the message.
READ_ONCE: Final = f"SET TRANSACTION READ ONLY; {_READ_LIMITS}"

_Driver = psycopg.AsyncConnection[Any]
_Cursor = psycopg.AsyncCursor[Any]
_Result = TypeVar("_Result")


class ConnectionPool:
    """Connections that wait for their next transaction as they are, without SQLAlchemy's work between two of them."""

    def __init__(self, engine: AsyncEngine, *, kept: int, most: int) -> None:
        """Take the engine that opens connections; `kept` of them stay open, `most` are in use at one moment."""
        self._engine = engine
        self._kept = kept
        self._slots = asyncio.Semaphore(most)
        self._idle: list[AsyncConnection] = []
        self.in_use = 0

    async def acquire(self) -> AsyncConnection:
        """Return a connection without a transaction.

        Raises:
            DatabaseUnavailable: None was free in time.
        """
        await self._wait_for_slot()
        try:
            connection = self._idle.pop() if self._idle else await self._engine.connect()
        except BaseException:
            self._slots.release()
            raise
        self.in_use += 1
        return connection

    async def _wait_for_slot(self) -> None:
        if not self._slots.locked():
            await self._slots.acquire()
            return
        try:
            async with asyncio.timeout(base.CONNECTION_WAIT_SECONDS):
                await self._slots.acquire()
        except TimeoutError as error:
            raise base.no_connection_free() from error

    async def release(self, connection: AsyncConnection) -> None:
        """Roll an open transaction back, and keep the connection, or close it where it cannot be used again."""
        self.in_use -= 1
        is_usable = False
        try:
            if connection.in_transaction():
                await connection.rollback()
            elif not connection.invalidated and _is_in_transaction(driver_of(connection)):
                await driver_of(connection).rollback()
            is_usable = not connection.invalidated and not driver_of(connection).closed
        finally:
            try:
                if is_usable and len(self._idle) < self._kept:
                    self._idle.append(connection)
                else:
                    await connection.close()
            finally:
                self._slots.release()

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()


def driver_of(connection: AsyncConnection) -> _Driver:
    # `AsyncConnection.get_raw_connection` returns the same after a switch of greenlets.
    pooled = cast("Connection", connection.sync_connection).connection
    return cast("_Driver", pooled.driver_connection)


def _is_in_transaction(driver: _Driver) -> bool:
    return driver.pgconn.transaction_status != TransactionStatus.IDLE


def _has_rows(cursor: _Cursor) -> bool:
    return cursor.pgresult is not None and cursor.pgresult.nfields > 0


class Transaction:
    """A transaction that begins with its first statement, in the same message.

    A reading one has no state between two statements (see `ReadTx`), so each prepared statement is a transaction of its
    own, and one message instead of three. Only a statement that SQLAlchemy sends needs one that is open.
    """

    def __init__(self, connection: AsyncConnection, *, is_read_only: bool, observe: Observe) -> None:
        self._connection = connection
        self._driver = driver_of(connection)
        self._is_read_only = is_read_only
        self._observe = observe
        self._is_open = False
        self.is_committing = False
        """Whether a COMMIT was sent. Until the reply comes, its outcome is unknown."""

    async def execute(self, statement: Statement, values: Values = None) -> Rows:
        if not isinstance(statement, Prepared):
            await self._open()
            return await self._connection.execute(statement, values, execution_options=COUNT_ROWS)
        return await self._execute(statement, values, self._send)

    async def execute_last(self, statement: Prepared, values: Values = None) -> Rows:
        """Run a statement that returns rows, and commit in the same message.

        If the statement fails, the server rolls back. The message is not sent again on another connection, for it may
        have been executed.
        """
        return await self._execute(statement, values, self._send_with_commit)

    async def _execute(
        self, statement: Prepared, values: Values, send: Callable[[CompiledStatement, Any], Awaitable[_Cursor]]
    ) -> Rows:
        compiled = statement.compiled(self._connection.dialect)
        parameters = compiled.parameters(values)
        if isinstance(parameters, list):
            await self._open()
        began_at = time.perf_counter()
        try:
            cursor = await send(compiled, parameters)
        finally:
            self._observe(compiled.sql, parameters, time.perf_counter() - began_at)
        rows = await cursor.fetchall() if _has_rows(cursor) else []
        return Fetched(compiled.rows(rows, cursor), cursor.rowcount)

    async def commit(self) -> None:
        if self._is_open:
            self.is_committing = True
            await self._driver.commit()

    async def _open(self) -> None:
        if self._is_open:
            return

        async def begin() -> None:
            await self._driver.execute(BEGIN_READ if self._is_read_only else BEGIN_WRITE)

        await self._first(begin)
        self._is_open = True

    async def _send_with_commit(self, compiled: CompiledStatement, parameters: Any) -> _Cursor:
        cursor = psycopg.AsyncClientCursor(self._driver)
        opening = "" if self._is_open else f"{BEGIN_WRITE}; "
        self._is_open, self.is_committing = False, True
        await cursor.execute(f"{opening}{compiled.sql}; COMMIT", parameters)
        while not _has_rows(cursor) and cursor.nextset():
            pass
        return cursor

    async def _send(self, compiled: CompiledStatement, parameters: Any) -> _Cursor:
        if self._is_open:
            cursor = self._driver.cursor()
            if isinstance(parameters, list):
                await cursor.executemany(compiled.sql, parameters)
            else:
                await cursor.execute(compiled.sql, parameters)
            return cursor
        opening = READ_ONCE if self._is_read_only else BEGIN_WRITE

        async def begin_and_execute() -> _Cursor:
            # Only a message whose values are part of its text can have several statements.
            cursor = psycopg.AsyncClientCursor(self._driver)
            self._is_open = not self._is_read_only
            await cursor.execute(f"{opening}; {compiled.sql}", parameters)
            while cursor.nextset():
                pass
            return cursor

        return await self._first(begin_and_execute)

    async def _first(self, send: Callable[[], Awaitable[_Result]]) -> _Result:
        """Send the first message, on another connection if this one died in the pool: nothing was committed.

        The pool could test each connection before its use; that would cost every transaction a message.
        """
        if self.is_committing:
            raise RuntimeError("The transaction has ended with its last statement (`WriteTx.finish`).")
        try:
            return await send()
        except psycopg.Error:
            if not self._driver.closed:
                raise
            await self._connection.invalidate()
            await self._connection.get_raw_connection()  # connects again
            self._driver = driver_of(self._connection)
            return await send()

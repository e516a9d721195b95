"""PostgreSQL through psycopg 3, compatible with a transaction pooler (ADR 2), and its SQL."""

import json
import os
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast
from uuid import UUID

import psycopg
from pydantic_core import from_json
from sqlalchemy import (
    JSON,
    Connection,
    Engine,
    Interval,
    Select,
    Text,
    bindparam,
    column,
    create_engine,
    event,
    func,
    literal,
    literal_column,
    select,
    text,
    true,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.postgresql import TSQUERY, insert
from sqlalchemy.dialects.postgresql import Insert as ConflictInsert
from sqlalchemy.engine import URL
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from fairground.platform.db.dialect import base
from fairground.platform.db.dialect.base import (
    COUNT_ROWS,
    BulkInsert,
    Connections,
    DatabaseUnavailable,
    Executor,
    Key,
    Observe,
    WriteExecutor,
)
from fairground.platform.db.dialect.columns import UtcDateTime, in_utc
from fairground.platform.db.dialect.postgres_transactions import ConnectionPool, Transaction
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.dialect.text_search import TextQuery, WordIndex
from fairground.platform.private_files import create_private_file

# Without `jit = off`, the cost that forbids a scan would make PostgreSQL compile the query, which takes a second.
_PREFER_INDEXES = text("SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)")
_QUERY_CANCELLED: Final = "57014"
_READ_ONLY: Final = "25006"  # the answer of a standby server to a write
_CONNECTION_ENDED: Final = ("08", "57P")  # classes of states
_SCHEMA_LOCK = 0x_FA1_49_12  # any number that no other program on this database uses


class PostgresOps:
    name = "postgresql"

    def now(self, shift: ColumnElement[timedelta]) -> ColumnElement[Any]:
        # statement_timestamp moves on within a transaction and, unlike clock_timestamp, can be compared with an index.
        return type_coerce(func.statement_timestamp(type_=UtcDateTime()).op("+")(shift), UtcDateTime)

    def later(self, instant: ColumnElement[Any], *, by: timedelta) -> ColumnElement[Any]:
        return type_coerce(instant + literal(by, Interval), UtcDateTime)

    def insert(self, table: FromClause) -> ConflictInsert:
        return insert(cast("Any", table))

    def insert_many(self, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> BulkInsert:
        # One JSON text for all rows: one message per row is slow here, and arrays take twice as long.
        document = json.dumps(rows, default=_as_json, ensure_ascii=False)
        return _insert_many(table, tuple(rows[0])), {"rows": document}

    def find_words(
        self,
        index: WordIndex,
        query: ColumnElement[TextQuery],
        *,
        columns: Sequence[InstrumentedAttribute[Any]],
        at_most: int,
    ) -> Select[Any]:
        found = literal_column(index.lexemes).op("@@")(query.cast(TSQUERY))
        return select(*columns).where(found).limit(at_most)

    def unindexed(self, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        return type_coerce(column, column.type)  # its planner knows the distribution of the values

    def for_each(self, keys: Sequence[Key], part: Callable[[Key], Select[Any]]) -> Executable:
        # The part is planned once: planning it for each key takes longer than running it. The keys are no VALUES,
        # because SQLAlchemy compiles a statement with VALUES at each execution.
        rows = [select(*(value.label(name) for name, value in key.items())) for key in keys]
        key = union_all(*rows).subquery()
        selected = part(dict(key.c.items())).lateral()
        return select(*selected.c).select_from(key.join(selected, true()))

    def prefer_indexes(self) -> Executable | None:
        # Parsing the words of every row costs a hundred times what the planner estimates.
        return _PREFER_INDEXES

    def lock_rows(self, select: Select[Any]) -> Select[Any]:
        return select.with_for_update()

    def skip_locked(self, select: Select[Any]) -> Select[Any]:
        return select.with_for_update(skip_locked=True)


def _as_json(value: object) -> str:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return in_utc(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    raise TypeError(f"{value!r} is not a plain value.")


@lru_cache(maxsize=128)
def _insert_many(table: FromClause, names: tuple[str, ...]) -> Prepared:
    columns = [column(name, table.c[name].type) for name in names]
    document = bindparam("rows", type_=Text()).cast(JSON)
    stored = func.json_to_recordset(document).table_valued(*columns).render_derived(with_types=True)
    statement = insert(cast("Any", table)).from_select(list(names), select(stored), include_defaults=False)
    return Prepared(statement.on_conflict_do_nothing())


# One for the program: statements that are built once are cached by it.
_OPS: Final = PostgresOps()


class PostgresBackend:
    def __init__(self, url: URL, *, pool_size: int) -> None:
        self.ops = _OPS
        self.file = None
        self._url = url.set(drivername="postgresql+psycopg")
        self._engine = create_async_engine(
            self._url,
            poolclass=NullPool,
            connect_args=_CONNECT_ARGS,
            # Else the driver sends BEGIN, which would be a message of its own.
            isolation_level="AUTOCOMMIT",
            # `insert_ignore` returns the row count of an INSERT.
            execution_options=COUNT_ROWS,
            json_deserializer=from_json,
        )
        self.engine = self._engine.sync_engine
        _keep_sessions_in_utc(self.engine)
        self.observe: Observe = base.ignore_statement
        self._most = 2 * pool_size
        self._pool = ConnectionPool(self._engine, kept=pool_size, most=self._most)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Executor]:
        try:
            connection = await self._pool.acquire()
            try:
                yield Transaction(connection, is_read_only=True, observe=self.observe)
            finally:
                await self._pool.release(connection)
        except _FAILURES as error:
            if _sqlstate(error) == _QUERY_CANCELLED:
                raise base.read_timed_out(_reason(error)) from error
            raise base.unavailable(_reason(error)) from error

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteExecutor]:
        transaction = None
        try:
            connection = await self._pool.acquire()
            try:
                transaction = Transaction(connection, is_read_only=False, observe=self.observe)
                yield transaction
                await transaction.commit()
            finally:
                await self._pool.release(connection)
        except (InternalError, psycopg.InternalError) as error:
            if _sqlstate(error) == _READ_ONLY:
                raise base.unavailable(_reason(error)) from error
            raise
        except _FAILURES as error:
            is_unknown = transaction is not None and transaction.is_committing and not _is_refusal(error)
            raise (_outcome_unknown(error) if is_unknown else base.unavailable(_reason(error))) from error

    def connections(self) -> Connections:
        return Connections(in_use=self._pool.in_use, most=self._most)

    def migration_engine(self) -> Engine:
        engine = create_engine(self._url, poolclass=NullPool, connect_args=_CONNECT_ARGS)
        _keep_sessions_in_utc(engine)
        return engine

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})

    def back_up_to(self, path: Path) -> None:
        partial = path.with_name(f"{path.name}.partial")
        create_private_file(partial)
        url = self._url.set(drivername="postgresql", password=None).render_as_string()
        password = {"PGPASSWORD": self._url.password} if self._url.password else {}
        command = ["pg_dump", "--format=custom", f"--file={partial}", f"--dbname={url}"]
        try:
            done = subprocess.run(command, env=os.environ | password, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            partial.unlink(missing_ok=True)
            raise DatabaseUnavailable(
                "Backing up PostgreSQL needs pg_dump, which is not installed.",
                hint="Install the PostgreSQL client tools (on Debian: postgresql-client).",
            ) from None
        if done.returncode:
            partial.unlink(missing_ok=True)
            said = " ".join(done.stderr.split()).rstrip(".?")
            raise DatabaseUnavailable("pg_dump could not back up the database.", reason=said)
        partial.rename(path)

    def acquire_server_lock(self) -> None:
        """Do nothing: any number of processes may serve one PostgreSQL database."""

    def commit_without_disk(self) -> None:
        """Do nothing: the server decides about its commits."""

    async def close(self) -> None:
        await self._pool.close()
        await self._engine.dispose()


# A pooler gives the server connection to another client after the transaction; prepared statements would outlive it.
_CONNECT_ARGS = {"prepare_threshold": None, "connect_timeout": 5}


def _keep_sessions_in_utc(engine: Engine) -> None:
    """Set the time zone of each new connection to UTC.

    In the zone of the server, a day added to an instant is 23 or 25 hours long when its clocks change, and psycopg
    reads instants by the rules of the machine.
    """

    @event.listens_for(engine, "connect")
    def _set_time_zone(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("SET TIME ZONE 'UTC'")
        cursor.close()
        connection.commit()


# By SQLAlchemy, and by the driver alone where a statement is prepared.
_FAILURES: Final = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg.InterfaceError)


def _sqlstate(error: BaseException) -> str | None:
    return getattr(getattr(error, "orig", error), "sqlstate", None)


def _is_refusal(error: Exception) -> bool:
    """Return whether the server says that it has rolled back, and has not ended the connection instead."""
    state = _sqlstate(error)
    return state is not None and not state.startswith(_CONNECTION_ENDED)


def _outcome_unknown(error: Exception) -> DatabaseUnavailable:
    return base.unavailable(
        _reason(error),
        detail="The database did not confirm the change.",
        hint="Check the current state before you repeat the change.",
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]

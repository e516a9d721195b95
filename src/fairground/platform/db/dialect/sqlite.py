"""SQLite: a database in a file, which one server process owns (ADR 2), and its SQL."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote

from pydantic_core import from_json
from sqlalchemy import (
    BigInteger,
    Connection,
    Engine,
    Select,
    bindparam,
    create_engine,
    event,
    literal_column,
    select,
    table,
    type_coerce,
    union_all,
)
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from fairground.platform.db.dialect import base
from fairground.platform.db.dialect.base import (
    BulkInsert,
    Connections,
    DatabaseInUse,
    DatabaseUnavailable,
    DatabaseURLError,
    Executor,
    Key,
    Observe,
    WriteExecutor,
)
from fairground.platform.db.dialect.columns import UtcDateTime
from fairground.platform.db.dialect.prepared import Prepared
from fairground.platform.db.dialect.sqlite_transactions import (
    BUSY_TIMEOUT_SECONDS,
    ReaderPool,
    Writer,
    close_quietly,
    raw_of,
    unavailable,
)
from fairground.platform.db.dialect.text_search import TextQuery, WordIndex
from fairground.platform.private_files import create_private_file, make_private_folder, open_private_file, tighten

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as ConflictInsert

_FILES_BESIDE = ("-wal", "-shm", "-journal", ".lock")
# julianday is the finest clock that SQLite has before 3.42: about 40 microseconds.
_CLOCK = "CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)"


class SQLiteOps:
    name = "sqlite"

    def now(self, shift: ColumnElement[timedelta]) -> ColumnElement[Any]:
        return type_coerce(literal_column(_CLOCK, BigInteger).op("+")(shift), UtcDateTime)

    def later(self, instant: ColumnElement[Any], *, by: timedelta) -> ColumnElement[Any]:
        return type_coerce(type_coerce(instant, BigInteger) + by // timedelta(microseconds=1), UtcDateTime)

    def insert(self, table: FromClause) -> "ConflictInsert":
        return cast("ConflictInsert", insert(cast("Any", table)))

    def insert_many(self, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> BulkInsert:
        return _insert_many(table, tuple(rows[0])), rows

    def find_words(
        self,
        index: WordIndex,
        query: ColumnElement[TextQuery],
        *,
        columns: Sequence[InstrumentedAttribute[Any]],
        at_most: int,
    ) -> Select[Any]:
        indexed = table(index.name)
        number: ColumnElement[int] = literal_column(f"{index.table}.number")
        found = literal_column(index.name).op("MATCH")(query)
        statement = select(*columns).join(indexed, literal_column(f"{index.name}.rowid") == number)
        return statement.where(found).limit(at_most)

    def unindexed(self, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        # Its planner takes any range for rare, and would sort all of it rather than read a page in index order.
        return column + 0

    def for_each(self, keys: Sequence[Key], part: Callable[[Key], Select[Any]]) -> Executable:
        # As a sub-query, because a member of a UNION may have no limit of its own.
        return union_all(*(select(part(key).subquery()) for key in keys))

    def prefer_indexes(self) -> Executable | None:
        return None

    # The one writer has the whole database to itself, so there is nothing to lock or to leave out.
    def lock_rows(self, select: Select[Any]) -> Select[Any]:
        return select

    def skip_locked(self, select: Select[Any]) -> Select[Any]:
        return select


@lru_cache(maxsize=128)
def _insert_many(table: FromClause, names: tuple[str, ...]) -> Prepared:
    statement = insert(cast("Any", table)).values({name: bindparam(name) for name in names})
    return Prepared(statement.on_conflict_do_nothing().inline())


# One for the program: statements that are built once are cached by it.
_OPS: Final = SQLiteOps()


class SQLiteBackend:
    def __init__(self, url: URL, *, pool_size: int, is_secondary: bool) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise DatabaseURLError(
                "Fairground needs an SQLite file: use sqlite:///relative/path.db or sqlite:////absolute/path.db."
            )
        self.ops = _OPS
        self.file = Path(url.database)
        self._is_secondary = is_secondary
        self._waits_for_disk = True
        self._was_opened = False
        self._server_lock: IO[str] | None = None
        self._threads = ThreadPoolExecutor(max_workers=pool_size + 1, thread_name_prefix="sqlite")
        self.engine = self._make_engine()
        self.observe: Observe = base.ignore_statement
        self._readers = ReaderPool(self._connect_reader, size=pool_size, threads=self._threads, observe=self._observe)
        self._readers_most = pool_size
        self._writer: Writer | None = None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Executor]:
        try:
            async with self._readers.transaction() as executor:
                yield executor
        except Exception:
            await _let_other_tasks_run()
            raise
        await _let_other_tasks_run()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteExecutor]:
        if self._writer is None:
            self._writer = Writer(self._connect_writer(), self._threads, observe=self._observe)
        try:
            async with self._writer.transaction() as executor:
                yield executor
        except Exception:
            # A transaction that is undone has no COMMIT to wait for.
            await _let_other_tasks_run()
            raise

    def _observe(self, sql: str, parameters: object, seconds: float) -> None:
        self.observe(sql, parameters, seconds)

    def connections(self) -> Connections:
        """Count readers only: all writes share the one writer."""
        return Connections(in_use=self._readers.in_use, most=self._readers_most)

    def _connect_reader(self) -> Connection:
        return self._connect(["query_only = ON"])

    def _connect_writer(self) -> Connection:
        # Only the server process checkpoints, since it would wait for a checkpoint of another process during a request.
        return self._connect(["wal_autocheckpoint = 0"] if self._is_secondary else [])

    def _connect(self, pragmas: Sequence[str]) -> Connection:
        try:
            connection = self.engine.connect()
        except OperationalError as error:
            raise unavailable(error) from error
        try:
            for pragma in [*pragmas, *([] if self._waits_for_disk else ["synchronous = OFF"])]:
                raw_of(connection).execute(f"PRAGMA {pragma}")
        except sqlite3.Error as error:
            close_quietly(connection)
            raise unavailable(error) from error
        return connection

    def _make_engine(self) -> Engine:
        # With AUTOCOMMIT the driver opens no transactions of its own; we send BEGIN, SAVEPOINT and COMMIT.
        engine = create_engine(
            "sqlite://",
            isolation_level="AUTOCOMMIT",
            poolclass=NullPool,
            creator=self._open_file,
            json_deserializer=from_json,
        )
        event.listen(engine, "connect", _set_pragmas)
        return engine

    def _open_file(self) -> sqlite3.Connection:
        # Created the first time only: an empty file in place of one that is away for a moment would stay in use.
        if not self._was_opened:
            try:
                create_private_file(self.file)
            except OSError as error:
                raise sqlite3.OperationalError(f"unable to create {self.file}: {error.strerror}") from error
        self._was_opened = True
        address = f"file:{quote(str(self.file))}?mode=rw"
        return sqlite3.connect(address, uri=True, check_same_thread=False, timeout=0, cached_statements=256)

    def migration_engine(self) -> Engine:
        self._make_file()
        engine = create_engine(f"sqlite:///{self.file}", connect_args={"timeout": BUSY_TIMEOUT_SECONDS})
        event.listen(engine, "connect", _set_pragmas)
        event.listen(engine, "connect", _leave_begin_to_us)
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
        return engine

    def lock_schema(self, connection: Connection) -> None:
        """Do nothing: the transaction began with BEGIN IMMEDIATE, as the only one that writes."""

    def back_up_to(self, path: Path) -> None:
        partial = path.with_name(f"{path.name}.partial")
        try:
            create_private_file(partial)
            with closing(sqlite3.connect(self.file)) as source, closing(sqlite3.connect(partial)) as copy:
                source.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.rename(path)
        except (sqlite3.Error, OSError) as error:
            partial.unlink(missing_ok=True)
            raise DatabaseUnavailable(
                f"Couldn't back up {self.file} to {path}: {error}.",
                hint="Choose a writable folder with room for the whole database.",
            ) from error

    def _make_file(self) -> None:
        """Create the file, readable to our user only; SQLite gives the files beside it the same mode."""
        self._make_folder()
        try:
            create_private_file(self.file)
        except OSError as error:
            raise DatabaseURLError(
                f"Can't create the database {self.file}: {error.strerror}. Choose another place with "
                "FAIRGROUND_DATA_DIR or FAIRGROUND_DATABASE_URL."
            ) from None

    def _make_folder(self) -> None:
        try:
            make_private_folder(self.file.parent)
        except OSError as error:
            raise DatabaseURLError(
                f"Can't create the database folder {self.file.parent}: {error.strerror}. Choose another one with "
                "FAIRGROUND_DATA_DIR or FAIRGROUND_DATABASE_URL."
            ) from None

    def _tighten_files(self) -> None:
        """Remove the rights of other users from files of an older version."""
        beside = self.file.parent.glob(f"{self.file.stem}.before-*{self.file.suffix}")
        for path in (self.file, *(self.file.with_name(self.file.name + end) for end in _FILES_BESIDE), *beside):
            tighten(path)

    def acquire_server_lock(self) -> None:
        self._make_folder()
        self._server_lock = self._open_lock()
        try:
            fcntl.flock(self._server_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._server_lock.close()
            self._server_lock = None
            raise DatabaseInUse(
                f"Another fairground server is using {self.file}. SQLite allows one: stop that server, give this one"
                " its own FAIRGROUND_DATA_DIR, or move to PostgreSQL with FAIRGROUND_DATABASE_URL=postgresql://…"
            ) from None
        self._tighten_files()

    def _open_lock(self) -> IO[str]:
        lock = self.file.with_name(self.file.name + ".lock")
        try:
            return os.fdopen(open_private_file(lock, os.O_WRONLY | os.O_CREAT), "w")
        except OSError as error:
            raise DatabaseURLError(
                f"Can't write {lock}: {error.strerror}. Set FAIRGROUND_DATA_DIR to a folder that this user can write "
                "to."
            ) from None

    def commit_without_disk(self) -> None:
        self._waits_for_disk = False

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        self._readers.close()
        self._threads.shutdown()
        self.engine.dispose()
        if self._server_lock is not None:
            self._server_lock.close()


async def _let_other_tasks_run() -> None:
    """Yield to the event loop: a short transaction awaits nothing, so a loop of them would stop all other tasks."""
    await asyncio.sleep(0)


def _set_pragmas(raw: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _leave_begin_to_us(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None

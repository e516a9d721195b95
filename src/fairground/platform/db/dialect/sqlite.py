"""SQLite: one writer with group commit, and readers that cannot write (ARCHITECTURE §5.2, ADR-0002)."""

import asyncio
import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import IO
from urllib.parse import quote

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import Executable

from fairground.platform.db.dialect.base import (
    COUNT_ROWS,
    Connections,
    DatabaseInUse,
    DatabaseUnavailable,
    DatabaseURLError,
    Executor,
    Rows,
    Values,
)
from fairground.platform.db.dialect.sqlite_ops import SQLiteOps
from fairground.platform.db.dialect.sqlite_readers import ReaderPool, close_quietly, raw_of, unavailable
from fairground.platform.private_files import create_private_file, make_private_folder, open_private_file, tighten

log = structlog.get_logger()

BUSY_TIMEOUT_SECONDS = 5.0  # how long one process waits for another one's transaction
_BUSY_PAUSE_SECONDS = 0.01
_FILES_BESIDE = ("-wal", "-shm", "-journal", ".lock")


class SQLiteBackend:
    def __init__(self, url: URL, *, pool_size: int, is_secondary: bool) -> None:
        if not url.database or url.database == ":memory:" or url.query:
            raise DatabaseURLError(
                "Fairground keeps SQLite in a file of its own: write sqlite:///relative/path.db or sqlite:////absolute/path.db."
            )
        self.ops = SQLiteOps()
        self.file = Path(url.database)
        self._is_secondary = is_secondary
        self._waits_for_disk = True
        self._was_opened = False
        self._role: IO[str] | None = None
        self._threads = ThreadPoolExecutor(max_workers=pool_size + 1, thread_name_prefix="sqlite")
        self.engine = self._make_engine()
        self._readers = ReaderPool(self._connect_reader, size=pool_size, threads=self._threads)
        self._readers_most = pool_size
        self._writer: _Writer | None = None

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
    async def write(self) -> AsyncIterator[Executor]:
        if self._writer is None:
            self._writer = _Writer(self._connect_writer(), self._threads)
        try:
            async with self._writer.transaction() as executor:
                yield executor
        except Exception:
            # A transaction that is undone has no COMMIT to wait for.
            await _let_other_tasks_run()
            raise

    def connections(self) -> Connections:
        """Count readers only: all writes share the one writer."""
        return Connections(in_use=self._readers.in_use, most=self._readers_most)

    def _connect_reader(self) -> Connection:
        return self._connect(["query_only = ON"])

    def _connect_writer(self) -> Connection:
        # Only the serving writer checkpoints: it would wait for a checkpoint of another process during a request.
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
        # AUTOCOMMIT keeps the driver from opening transactions of its own; we say BEGIN, SAVEPOINT and COMMIT.
        engine = create_engine("sqlite://", isolation_level="AUTOCOMMIT", poolclass=NullPool, creator=self._open_file)
        event.listen(engine, "connect", _set_pragmas)
        return engine

    def _open_file(self) -> sqlite3.Connection:
        # Created the first time only: an empty file in the place of one that is away would stay in use for ever.
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
        """Nothing is left to do: the transaction began as the only one that writes."""

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
                f"{self.file} could not be copied to {path}: {error}.",
                hint="The copy needs a folder that can be written, with room for the whole database.",
            ) from error

    def _make_file(self) -> None:
        """Create the file, readable to our user only; SQLite gives the files beside it the same mode."""
        self._make_folder()
        try:
            create_private_file(self.file)
        except OSError as error:
            raise DatabaseURLError(
                f"The database {self.file} cannot be created: {error.strerror}."
                " Name another place with FAIRGROUND_DATA_DIR or FAIRGROUND_DATABASE_URL."
            ) from None

    def _make_folder(self) -> None:
        try:
            make_private_folder(self.file.parent)
        except OSError as error:
            raise DatabaseURLError(
                f"The folder {self.file.parent} for the database cannot be made: {error.strerror}."
                " Name another one with FAIRGROUND_DATA_DIR or FAIRGROUND_DATABASE_URL."
            ) from None

    def _tighten_files(self) -> None:
        """Take other users' rights away from files of an older version."""
        beside = self.file.parent.glob(f"{self.file.stem}.before-*{self.file.suffix}")
        for path in (self.file, *(self.file.with_name(self.file.name + end) for end in _FILES_BESIDE), *beside):
            tighten(path)

    def acquire_server_lock(self) -> None:
        self._make_folder()
        self._role = self._open_lock()
        try:
            fcntl.flock(self._role, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._role.close()
            self._role = None
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
                f"{lock} cannot be written: {error.strerror}. Give the server a folder of its own user's with"
                " FAIRGROUND_DATA_DIR."
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
        if self._role is not None:
            self._role.close()


async def _let_other_tasks_run() -> None:
    """Yield to the event loop: a short transaction waits for nothing, so a loop of them would stop all other tasks."""
    await asyncio.sleep(0)


class _Group:
    """Transactions that share one COMMIT, and so one flush of the disk."""

    def __init__(self) -> None:
        self.committed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.members = 0


class _Writer:
    """The one connection that writes.

    The first transaction of a group says BEGIN and queues the COMMIT behind the transactions that wait already; those
    run as savepoints of the same transaction. One first-come, first-served lock is the whole scheduler. Statements run
    on the event loop, because they take microseconds; the COMMIT, which waits for the disk, runs in a thread.
    """

    def __init__(self, connection: Connection, threads: ThreadPoolExecutor) -> None:
        self._connection = connection
        self._raw = raw_of(connection)
        self._threads = threads
        self._turn = asyncio.Lock()
        self._group: _Group | None = None
        self._commits: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Executor]:
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

    async def execute(self, statement: Executable, values: Values = None) -> Rows:
        try:
            return self._connection.execute(statement, values, execution_options=COUNT_ROWS)
        except OperationalError as error:
            raise unavailable(error) from error

    async def _begin_group(self) -> _Group:
        await self._begin_immediate()
        group = self._group = _Group()
        commit = asyncio.get_running_loop().create_task(self._commit_in_turn(group))
        self._commits.add(commit)
        commit.add_done_callback(self._commits.discard)
        return group

    async def _begin_immediate(self) -> None:
        """Take the write lock, waiting for a secondary process without stopping the event loop."""
        deadline = asyncio.get_running_loop().time() + BUSY_TIMEOUT_SECONDS
        if self._raw.in_transaction:
            # Left behind by a rollback that failed; without this no write would ever begin again.
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

    async def _commit_in_turn(self, group: _Group) -> None:
        async with self._turn:
            self._group = None
            try:
                if self._raw.in_transaction:
                    await asyncio.get_running_loop().run_in_executor(self._threads, self._raw.execute, "COMMIT")
                elif group.members:
                    raise sqlite3.OperationalError("the transaction was rolled back by the database")
            except BaseException as error:
                # Whatever it was, the members must hear of it: they would wait for ever.
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


def _set_pragmas(raw: sqlite3.Connection, _record: object) -> None:
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "temp_store = MEMORY"):
        raw.execute(f"PRAGMA {pragma}")


def _leave_begin_to_us(raw: sqlite3.Connection, _record: object) -> None:
    raw.isolation_level = None

"""What both dialects share: errors, time limits, and the protocols that a backend implements."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Connection, Engine, Select
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import Executable
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.selectable import FromClause

from fairground.kernel.errors import Unavailable
from fairground.platform.db.dialect.prepared import Prepared, Values
from fairground.platform.db.dialect.text_search import TextQuery, WordIndex

if TYPE_CHECKING:  # one dialect's name for what both have; on the other it is not loaded
    from sqlalchemy.dialects.postgresql import Insert as ConflictInsert


class DatabaseURLError(ValueError):
    """The database URL cannot be used; the message says what to write instead."""


class DatabaseInUse(RuntimeError):
    """A second server was started on a database that allows only one; the message says what to do."""


class DatabaseUnavailable(Unavailable):
    """The database did not answer, or could not write.

    Nothing of the transaction was kept, unless the hint says otherwise: where the connection is lost during COMMIT,
    the client cannot know. The row of an Idempotency-Key knows, because it is part of the transaction.
    """

    code = "database.unavailable"


class DatabaseTimeout(DatabaseUnavailable):
    """A statement took longer than its limit and was stopped."""

    code = "database.timeout"
    hint = "Ask for less, such as a smaller page or a narrower search, or try again in a moment."


READ_SECONDS = 10  # of one statement that reads; a longer one is a fault
CONNECTION_WAIT_SECONDS = 10  # many customers who want one slot empty the pool while they wait for its lock


def unavailable(
    reason: str, *, detail: str = "The database is not available.", hint: str | None = None
) -> DatabaseUnavailable:
    """Return an error whose `reason`, the text of the driver, is for the log and for commands only."""
    return DatabaseUnavailable(detail, reason=reason, hint=hint)


def read_timed_out(reason: str) -> DatabaseTimeout:
    return DatabaseTimeout(f"The query took more than {READ_SECONDS} s and was stopped.", reason=reason)


def no_connection_free() -> DatabaseUnavailable:
    waited = f"No database connection was free within {CONNECTION_WAIT_SECONDS} s."
    return unavailable(waited, detail="The database is overloaded.")


# SQLAlchemy drops the row count of an INSERT without this option.
COUNT_ROWS: Final = {"preserve_rowcount": True}


def ignore_statement(_sql: str, _parameters: object, _seconds: float) -> None:
    """Observe nothing."""


BulkInsert = tuple[Prepared, Values]
"""A statement, and the rows to run it with when they are not part of it."""


@dataclass(frozen=True)
class Connections:
    """How many connections are in use at one moment, and how many may be."""

    in_use: int
    most: int


Statement = Executable | Prepared

Observe = Callable[[str, Any, float], None]
"""Takes the text of a prepared statement that was run, its parameters, and the seconds that it took."""


class Rows(Protocol):
    """The part of a result that a transaction uses; its rows are fetched already."""

    @property
    def rowcount(self) -> int: ...

    def all(self) -> Sequence[Any]: ...


Key = Mapping[str, ColumnElement[Any]]
"""Values, or the columns that hold them, by their names."""


class Executor(Protocol):
    """One open transaction on one connection."""

    async def execute(self, statement: Statement, values: Values = None) -> Rows: ...


class WriteExecutor(Executor, Protocol):
    async def execute_last(self, statement: Prepared, values: Values = None) -> Rows:
        """Run a statement after which the transaction has none, and commit with it where that saves a message."""
        ...


class SQLOps(Protocol):
    """The expressions and statements that differ between the dialects. `tx.ops` is the only switch."""

    def __hash__(self) -> int:
        """Return the hash by which statements that are built once are cached."""
        ...

    @property
    def name(self) -> str: ...

    def now(self, shift: ColumnElement[timedelta]) -> ColumnElement[Any]:
        """Return the database's clock plus `shift`, as an SQL expression that an index can be compared with.

        Args:
            shift: A value or a parameter of the type TimeShift.
        """
        ...

    def later(self, instant: ColumnElement[Any], *, by: timedelta) -> ColumnElement[Any]:
        """Return the instant of a column moved by `by`, which may be negative."""
        ...

    def insert(self, table: FromClause) -> "ConflictInsert":
        """Return an INSERT with `on_conflict_do_nothing` and `on_conflict_do_update`, which both dialects share."""
        ...

    def insert_many(self, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> BulkInsert:
        """Return the fastest INSERT of many rows of plain values; it ignores rows that exist already."""
        ...

    def find_words(
        self,
        index: WordIndex,
        query: ColumnElement[TextQuery],
        *,
        columns: Sequence[InstrumentedAttribute[Any]],
        at_most: int,
    ) -> Select[Any]:
        """Select the columns of the index's table in the rows that match the query.

        Args:
            query: A value or a parameter of the type TextQueryType.
            at_most: Rows that are read. Where more match, the dialects may read different ones.
        """
        ...

    def unindexed(self, column: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
        """Return the column for a condition that is tested row by row, without an index on the column."""
        ...

    def prefer_indexes(self) -> Executable | None:
        """Return a statement that makes the planner avoid table scans in this transaction; None if there is none."""
        ...

    def for_each(self, keys: Sequence[Key], part: Callable[[Key], Select[Any]]) -> Executable:
        """Return one statement with the rows that `part` selects for each key; all keys have the same names.

        Each part may have an order, a limit and locks of its own. The statement has no order.
        """
        ...

    def lock_rows(self, select: Select[Any]) -> Select[Any]:
        """Lock the selected rows for this transaction; rows that others have locked are waited for."""
        ...

    def skip_locked(self, select: Select[Any]) -> Select[Any]:
        """Lock the selected rows for this transaction; rows that others have locked are left out."""
        ...


class Backend(Protocol):
    """One database, opened. Transactions end by commit when their block is left normally, else by rollback."""

    observe: Observe
    """Called after each prepared statement, whether it failed or not."""

    @property
    def ops(self) -> SQLOps: ...

    @property
    def engine(self) -> Engine:
        """The engine that runs all statements but prepared ones."""
        ...

    def connections(self) -> Connections:
        """Return how many connections are in use now, and how many may be."""
        ...

    @property
    def file(self) -> Path | None:
        """The file of the database; None where a server keeps it."""
        ...

    def read(self) -> AbstractAsyncContextManager[Executor]:
        """Open a transaction in which the database refuses writes. A statement may take READ_SECONDS.

        Raises:
            DatabaseUnavailable: No connection could be opened, or none was free in time.
            DatabaseTimeout: A statement took too long.
        """
        ...

    def write(self) -> AbstractAsyncContextManager[WriteExecutor]:
        """Open a transaction that may write.

        Raises:
            DatabaseUnavailable: No connection, a lock that was not released in time, or a full disk.
        """
        ...

    def migration_engine(self) -> Engine:
        """Return a new synchronous engine for schema changes. The caller disposes of it."""
        ...

    def lock_schema(self, connection: Connection) -> None:
        """Keep every other process from changing the schema until this transaction ends."""
        ...

    def back_up_to(self, path: Path) -> None:
        """Write a consistent copy of the whole database to a file that is not there yet, beside a running server.

        Raises:
            DatabaseUnavailable: The copy is incomplete; nothing is left at `path`.
        """
        ...

    def acquire_server_lock(self) -> None:
        """Take the lock that one server process may hold; does nothing where many may serve.

        Raises:
            DatabaseInUse: Another server process holds it.
        """
        ...

    def commit_without_disk(self) -> None:
        """Let commits not wait for the disk. Called before the first one, for a file that a crash makes useless."""
        ...

    async def close(self) -> None: ...

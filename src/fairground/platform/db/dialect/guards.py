"""Guards: rows that the database itself refuses, independent of the code that writes them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

LONGEST: Final = timedelta(days=31)  # so that the search for overlaps need not look at all of the past
_DAYS: Final = LONGEST.days
_LONGEST_MICROSECONDS: Final = LONGEST // timedelta(microseconds=1)


class GuardError(RuntimeError):
    """The guard is missing or cannot be created. The message is for the operator and says what to do."""


@dataclass(frozen=True)
class OverlapGuard:
    """Refuses two live rows of one resource whose times overlap (ADR 5).

    A guarded table has the columns resource_id, unit, blocked_from, blocked_until and state. PostgreSQL keeps an
    exclusion constraint on it, SQLite a pair of triggers, which are exact because there is one writer.
    """

    table: str
    live_states: tuple[str, ...]
    """A row guards its time, and is guarded, while its state is one of these."""

    @property
    def name(self) -> str:
        """The name of the constraint or trigger, which a refusal contains."""
        return f"{self.table}_overlap"

    @property
    def span_name(self) -> str:
        """The name that a refusal contains when a time is endless or longer than 31 days."""
        return f"{self.table}_span"

    @property
    def _live(self) -> str:
        return ", ".join(f"'{state}'" for state in self.live_states)

    def ensure(self, connection: Connection) -> None:
        """Create the guard unless it exists. Run it after every change of the schema: rebuilding a table drops it.

        Raises:
            GuardError: It cannot be created: an extension is missing, or rows overlap already.
        """
        if connection.dialect.name == "sqlite":
            self._ensure_triggers(connection)
        else:
            self._ensure_constraints(connection)

    def drop(self, connection: Connection) -> None:
        for statement in self._drops(connection.dialect.name):
            connection.execute(text(statement))

    def _drops(self, dialect: str) -> list[str]:
        if dialect == "sqlite":
            return [f"DROP TRIGGER IF EXISTS {trigger}" for trigger in self._triggers()]
        return [f"ALTER TABLE {self.table} DROP CONSTRAINT IF EXISTS {name}" for name in (self.name, self.span_name)]

    def is_refusal(self, error: IntegrityError) -> bool:
        """Return whether this guard refused the statement because of an overlap."""
        return self.name in str(error.orig)

    def _ensure_constraints(self, connection: Connection) -> None:
        present = set(
            connection.scalars(
                text(f"SELECT conname FROM pg_constraint WHERE conrelid = '{self.table}'::regclass")  # noqa: S608
            )
        )
        if self.span_name not in present:
            connection.execute(text(self._span_constraint()))
        if self.name not in present:
            self._create_extension(connection)
            self._create_exclusion(connection)

    def _span_constraint(self) -> str:
        return (
            f"ALTER TABLE {self.table} ADD CONSTRAINT {self.span_name} CHECK ("
            "isfinite(blocked_from) AND isfinite(blocked_until)"
            f" AND blocked_until - blocked_from <= INTERVAL '{_DAYS} days')"
        )

    def _create_extension(self, connection: Connection) -> None:
        try:
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
        except DBAPIError as error:
            raise GuardError(
                "Couldn't create the PostgreSQL extension btree_gist, which prevents double bookings. Install the "
                "package postgresql-contrib if it is missing, run CREATE EXTENSION btree_gist in this database as a "
                "superuser, and run this command again."
            ) from error

    def _create_exclusion(self, connection: Connection) -> None:
        try:
            connection.execute(
                text(
                    f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} EXCLUDE USING gist (resource_id WITH =,"
                    " unit WITH =, tstzrange(blocked_from, blocked_until, '[)') WITH &&)"
                    f" WHERE (state IN ({self._live}))"
                )
            )
        except IntegrityError as error:
            raise GuardError(self._overlap_message()) from error

    def _ensure_triggers(self, connection: Connection) -> None:
        present = set(connection.scalars(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")))
        missing = [definition for name, definition in self._triggers().items() if name not in present]
        if missing and connection.scalar(text(self._overlapping_pair())):
            raise GuardError(self._overlap_message())
        for definition in missing:
            connection.execute(text(definition))

    def _overlap_message(self) -> str:
        return (
            f"The table {self.table} contains bookings that overlap, so its protection against double bookings can't "
            "be created. Cancel one booking of each pair and run this command again."
        )

    def _overlapping_pair(self) -> str:
        return f"SELECT 1 FROM {self.table} AS new WHERE {self._overlaps('new')} LIMIT 1"  # noqa: S608

    def _triggers(self) -> dict[str, str]:
        refuse_overlap = f"SELECT RAISE(ABORT, '{self.name}') WHERE {self._overlaps('NEW')};"
        refuse_span = (
            f"SELECT RAISE(ABORT, '{self.span_name}')"
            f" WHERE NEW.blocked_until - NEW.blocked_from > {_LONGEST_MICROSECONDS};"
        )
        return {
            f"{self.name}_{event.lower()}": (
                f"CREATE TRIGGER {self.name}_{event.lower()} BEFORE {event} ON {self.table}"
                f" BEGIN {refuse_span} {refuse_overlap} END"
            )
            for event in ("INSERT", "UPDATE")
        }

    def _overlaps(self, new: str) -> str:
        """Return the condition that the row called `new` is live and overlaps another live one."""
        return (
            f"{new}.state IN ({self._live}) AND EXISTS (SELECT 1 FROM {self.table} AS other"  # noqa: S608
            f" WHERE other.resource_id = {new}.resource_id AND other.unit = {new}.unit AND other.id <> {new}.id"
            f" AND other.blocked_from < {new}.blocked_until"
            f" AND other.blocked_from > {new}.blocked_from - {_LONGEST_MICROSECONDS}"
            f" AND other.blocked_until > {new}.blocked_from AND other.state IN ({self._live}))"
        )


@dataclass(frozen=True)
class AddressGuard:
    """Refuses whole pictures (`data:` addresses) in a column that holds addresses of pictures.

    PostgreSQL keeps a CHECK. SQLite cannot add one to an existing table, so it keeps a pair of triggers.
    """

    table: str
    column: str

    @property
    def name(self) -> str:
        """The name that a refusal contains."""
        return f"ck_{self.table}__{self.column}"

    def ensure(self, connection: Connection) -> None:
        """Create the guard unless it exists. Existing rows stay unchanged."""
        if connection.dialect.name == "sqlite":
            for statement in self._triggers():
                connection.execute(text(statement))
        elif not connection.scalar(text(f"SELECT 1 FROM pg_constraint WHERE conname = '{self.name}'")):  # noqa: S608 - our own words
            connection.execute(text(self._constraint(connection)))

    def _constraint(self, connection: Connection) -> str:
        embedded = f"SELECT 1 FROM {self.table} WHERE {self.column} ILIKE 'data:%' LIMIT 1"  # noqa: S608 - our own words
        # A row that was stored while the guard was missing must not prevent its return.
        validity = " NOT VALID" if connection.scalar(text(embedded)) else ""
        check = f"CHECK ({self.column} NOT ILIKE 'data:%')"
        return f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} {check}{validity}"

    def _triggers(self) -> list[str]:
        refusal = f"SELECT RAISE(ABORT, '{self.name}: a data: URL cannot be the address of a picture')"
        return [
            f"CREATE TRIGGER IF NOT EXISTS {self.name}_on_{event} BEFORE {event} {what}ON {self.table}"
            f" WHEN NEW.{self.column} LIKE 'data:%' BEGIN {refusal}; END"
            for event, what in (("insert", ""), ("update", f"OF {self.column} "))
        ]


def refuse_changes(connection: Connection, table: str) -> None:
    """Make a table append-only. A migration that rebuilds the table drops this, and must call it again."""
    for statement in _on_sqlite(table) if connection.dialect.name == "sqlite" else _on_postgres(table):
        connection.execute(text(statement))


def _on_sqlite(table: str) -> list[str]:
    refusal = f"SELECT RAISE(ABORT, '{table} is append-only')"
    return [
        f"CREATE TRIGGER {table}_refuses_{event.lower()} BEFORE {event} ON {table} BEGIN {refusal}; END"
        for event in ("UPDATE", "DELETE")
    ]


def _on_postgres(table: str) -> list[str]:
    refusal = f"RAISE EXCEPTION '{table} is append-only'"
    events = f"BEFORE UPDATE OR DELETE ON {table}"
    return [
        f"CREATE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refusal}; END $$",
        f"CREATE TRIGGER {table}_refuses {events} FOR EACH ROW EXECUTE FUNCTION {table}_refuse()",
    ]

"""Columns that hold addresses of pictures: the database refuses whole pictures in them (`data:` addresses)."""

from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True)
class AddressGuard:
    """PostgreSQL keeps a CHECK. SQLite adds none to a table that is there, so it keeps a pair of triggers."""

    table: str
    column: str

    @property
    def name(self) -> str:
        """What the database says when it refuses."""
        return f"ck_{self.table}__{self.column}"

    def ensure(self, connection: Connection) -> None:
        """Create the guard unless it is there. Rows that are there stay as they are."""
        if connection.dialect.name == "sqlite":
            for statement in self._triggers():
                connection.execute(text(statement))
        elif not connection.scalar(text(f"SELECT 1 FROM pg_constraint WHERE conname = '{self.name}'")):  # noqa: S608 - our own words
            connection.execute(text(self._constraint(connection)))

    def _constraint(self, connection: Connection) -> str:
        embedded = f"SELECT 1 FROM {self.table} WHERE {self.column} ILIKE 'data:%' LIMIT 1"  # noqa: S608 - our own words
        # A row that came while the guard was gone keeps nobody from making it anew.
        validity = " NOT VALID" if connection.scalar(text(embedded)) else ""
        check = f"CHECK ({self.column} NOT ILIKE 'data:%')"
        return f"ALTER TABLE {self.table} ADD CONSTRAINT {self.name} {check}{validity}"

    def _triggers(self) -> list[str]:
        refusal = f"SELECT RAISE(ABORT, '{self.name}: a data: address is no address of a picture')"
        return [
            f"CREATE TRIGGER IF NOT EXISTS {self.name}_on_{event} BEFORE {event} {what}ON {self.table}"
            f" WHEN NEW.{self.column} LIKE 'data:%' BEGIN {refusal}; END"
            for event, what in (("insert", ""), ("update", f"OF {self.column} "))
        ]

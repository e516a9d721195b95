"""Tables that are only ever added to: the database refuses to change or to delete a row."""

from sqlalchemy import Connection, text


def refuse_changes(connection: Connection, table: str) -> None:
    """Make a table append-only. A migration that rebuilds the table drops this, and must say it again."""
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

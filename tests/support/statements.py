"""The statements that a piece of work sends, and their plans."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from fairground.platform.db.database import Database

Statement = tuple[str, Any]


@contextmanager
def statements_of(db: Database) -> Iterator[list[Statement]]:
    """Collect the statements that are sent, with their values; not what opens a transaction."""
    engine, observe = db.backend.engine, db.backend.observe
    sent: list[Statement] = []

    def listen(_connection: Any, _cursor: Any, sql: str, values: Any, *_: Any) -> None:
        sent.append((sql, values))

    def observe_prepared(sql: str, values: Any, seconds: float) -> None:
        sent.append((sql, values))
        observe(sql, values, seconds)

    event.listen(engine, "before_cursor_execute", listen)
    db.backend.observe = observe_prepared
    try:
        yield sent
    finally:
        db.backend.observe = observe
        event.remove(engine, "before_cursor_execute", listen)


def explain(db: Database, statement: Statement, options: str = "", *, preparing: Sequence[str] = ()) -> str:
    """Return the plan of a statement, as the database prints it."""
    sql, values = statement
    engine = db.backend.migration_engine()
    word = "EXPLAIN QUERY PLAN" if db.backend.ops.name == "sqlite" else f"EXPLAIN {options}"
    with engine.connect() as connection:
        for setting in preparing:
            connection.exec_driver_sql(setting)
        rows = connection.exec_driver_sql(f"{word} {sql}", values).all()
    engine.dispose()
    return "\n".join(row[-1] if isinstance(row[-1], str) else json.dumps(row[-1]) for row in rows)


def without_scans(db: Database) -> list[str]:
    """Return what makes a planner show how it reads a table by its index, although the test's table is small."""
    return [] if db.backend.ops.name == "sqlite" else ["SET enable_seqscan = off", "SET enable_bitmapscan = off"]

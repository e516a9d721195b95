"""The schema of each module as the code has it, and how a database stands against it.

A history is a folder of revisions and a version table of its own, so that a module's tables can later move to
another database with their history (ADR 6). Comparing the two needs no Alembic, which takes a
tenth of a start: only `migrate.py`, which changes a schema, loads it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, Engine, MetaData, Text, inspect, select, table

_CATALOG: Final = "catalog_"


@dataclass(frozen=True)
class History:
    """The schema of one module: its tables as the code sees them, and the revisions that lead there."""

    name: str
    metadata: MetaData
    folder: Path
    """Holds `versions/` with one file a revision, named after its number: `1000_bookings.py`."""
    after_upgrade: Callable[[Connection], None] | None = None
    """Makes what Alembic's batch mode silently drops when it rebuilds a table, unless it is there."""
    beside: tuple[str, ...] = ()
    """What the names of the tables and indexes begin with that `after_upgrade` makes beside the mapped ones."""

    @property
    def version_table(self) -> str:
        return f"{self.name}_alembic_version"

    @property
    def versions(self) -> Path:
        return self.folder / "versions"

    def revisions(self) -> list[str]:
        """Return the number of every revision, the newest last."""
        return sorted(file.name.partition("_")[0] for file in self.versions.glob("[0-9]*_*.py"))


class SchemaState(StrEnum):
    CURRENT = "current"
    BEHIND = "behind"
    AHEAD = "ahead"
    SQUASHED = "squashed"
    """At a revision from before the oldest one that the code still has: it cannot be upgraded."""


@dataclass(frozen=True)
class SchemaCheck:
    """How one module's tables stand against the code."""

    module: str
    state: SchemaState
    found: str | None
    expected: str


def check(engine: Engine, histories: Iterable[History]) -> list[SchemaCheck]:
    with engine.connect() as connection:
        return [check_history(connection, history) for history in histories]


def check_history(connection: Connection, history: History) -> SchemaCheck:
    found = _find_revision(connection, history)
    revisions = history.revisions()
    if found == revisions[-1]:
        state = SchemaState.CURRENT
    elif found is None or found in revisions:
        state = SchemaState.BEHIND
    elif found < revisions[0]:
        state = SchemaState.SQUASHED
    else:
        state = SchemaState.AHEAD
    return SchemaCheck(module=history.name, state=state, found=found, expected=revisions[-1])


def _find_revision(connection: Connection, history: History) -> str | None:
    if not inspect(connection).has_table(history.version_table):
        return None
    return connection.scalar(select(table(history.version_table, Column("version_num", Text))))


def find_catalog_table(engine: Engine) -> str | None:
    """Return a table of the module `catalog`, which was split up when its revisions were squashed."""
    names = sorted(name for name in inspect(engine).get_table_names() if name.startswith(_CATALOG))
    return names[0] if names else None


def restore_guards(connection: Connection, histories: Iterable[History]) -> None:
    """Create the objects beside the tables of the histories that are missing, such as a guard dropped by hand.

    Raises:
        GuardError: One cannot be created; the message says why and what to do.
    """
    for history in histories:
        if history.after_upgrade is not None:
            history.after_upgrade(connection)

"""Schema changes: one Alembic history a module, all run together.

A history is a folder of revisions and a version table of its own, so that a module's tables can later move to
another database with their history (ARCHITECTURE §4, extraction). There is no env.py: this file is it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData


@dataclass(frozen=True)
class History:
    """The schema of one module: its tables as the code sees them, and the revisions that lead there."""

    name: str
    metadata: MetaData
    folder: Path
    """Holds `versions/` with the revisions."""
    after_upgrade: Callable[[Connection], None] | None = None
    """Makes what Alembic's batch mode silently drops when it rebuilds a table, unless it is there."""

    @property
    def version_table(self) -> str:
        return f"{self.name}_alembic_version"

    def scripts(self) -> ScriptDirectory:
        return ScriptDirectory(str(self.folder), version_locations=[str(self.folder / "versions")])


class SchemaState(StrEnum):
    CURRENT = "current"
    BEHIND = "behind"
    AHEAD = "ahead"


@dataclass(frozen=True)
class SchemaCheck:
    """How one module's tables stand against the code."""

    module: str
    state: SchemaState
    found: str | None
    expected: str | None


def upgrade(connection: Connection, histories: Iterable[History]) -> list[str]:
    """Bring every history to its newest revision inside the caller's transaction; return the modules that changed.

    Raises:
        GuardError: The database cannot be made to refuse double bookings.
    """
    changed = []
    for history in histories:
        if check_history(connection, history).state is SchemaState.BEHIND:
            _upgrade_history(connection, history)
            restore_guards(connection, [history])
            changed.append(history.name)
    return changed


def restore_guards(connection: Connection, histories: Iterable[History]) -> None:
    """Make what is missing of what the histories keep beside their tables; somebody may have dropped it by hand.

    Raises:
        GuardError: It cannot be made; the message says why and what to do.
    """
    for history in histories:
        if history.after_upgrade is not None:
            history.after_upgrade(connection)


def _upgrade_history(connection: Connection, history: History) -> None:
    scripts = history.scripts()

    def revisions(current: Any, _context: MigrationContext) -> Any:
        return scripts._upgrade_revs("head", current)  # noqa: SLF001 - what alembic.command.upgrade itself calls

    with EnvironmentContext(Config(), scripts, fn=revisions, destination_rev="head") as environment:
        environment.configure(
            connection=connection,
            target_metadata=history.metadata,
            version_table=history.version_table,
            render_as_batch=True,
        )
        environment.run_migrations()


def check_history(connection: Connection, history: History) -> SchemaCheck:
    found = MigrationContext.configure(connection, opts={"version_table": history.version_table}).get_current_revision()
    scripts = history.scripts()
    expected = scripts.get_current_head()
    if found == expected:
        state = SchemaState.CURRENT
    elif found is None or any(revision.revision == found for revision in scripts.walk_revisions()):
        state = SchemaState.BEHIND
    else:
        state = SchemaState.AHEAD
    return SchemaCheck(module=history.name, state=state, found=found, expected=expected)


def check(engine: Engine, histories: Iterable[History]) -> list[SchemaCheck]:
    with engine.connect() as connection:
        return [check_history(connection, history) for history in histories]


def find_drift(connection: Connection, histories: Sequence[History]) -> list[Any]:
    """Return what the tables of the database and of the code disagree on; nothing, when the revisions are complete."""
    metadata = MetaData()
    for history in histories:
        for table in history.metadata.tables.values():
            table.to_metadata(metadata)
    version_tables = {history.version_table for history in histories}

    def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:  # noqa: FBT001 - Alembic's signature
        return kind != "table" or name not in version_tables

    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    return list(compare_metadata(context, metadata))

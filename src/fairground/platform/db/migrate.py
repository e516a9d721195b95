"""Schema changes: one Alembic history a module, all run together. There is no env.py: this file is it."""

from collections.abc import Iterable, Sequence
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData

from fairground.platform.db.history import History, SchemaState, check_history, restore_guards


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


def _upgrade_history(connection: Connection, history: History) -> None:
    scripts = ScriptDirectory(str(history.folder), version_locations=[str(history.versions)])

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


def find_drift(connection: Connection, histories: Sequence[History]) -> list[Any]:
    """Return what the tables of the database and of the code disagree on; nothing, when the revisions are complete."""
    metadata = MetaData()
    for history in histories:
        for table in history.metadata.tables.values():
            table.to_metadata(metadata)
    version_tables = {history.version_table for history in histories}
    beside = tuple(name for history in histories for name in history.beside)

    def is_ours(_object: Any, name: str | None, kind: str, _reflected: bool, _to: Any) -> bool:  # noqa: FBT001 - Alembic's signature
        if kind not in {"table", "index"} or name is None:
            return True
        return name not in version_tables and not name.startswith(beside)

    context = MigrationContext.configure(connection, opts={"include_object": is_ours, "compare_type": True})
    return list(compare_metadata(context, metadata))

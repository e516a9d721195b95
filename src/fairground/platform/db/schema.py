"""The schema of a whole installation: is it what the code expects, and make it so."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from fairground.platform.db.dialect.base import Backend, unavailable
from fairground.platform.db.history import History, SchemaCheck, SchemaState, check, find_catalog_table, restore_guards

LAST_COMMIT_BEFORE_SQUASH: Final = "b4f0381ac5"
"""Has the revisions that the squash replaced, and the export of providers. See ADR 29."""


class SchemaMismatch(RuntimeError):
    """The database is not at the state that this code works with; the message names the command that mends it."""


@contextmanager
def _engine_of(backend: Backend) -> Iterator[Engine]:
    engine = backend.migration_engine()
    try:
        yield engine
    except DBAPIError as error:
        raise unavailable(str(error.orig).strip().splitlines()[0]) from error
    finally:
        engine.dispose()


def check_schema(backend: Backend, histories: Sequence[History]) -> list[SchemaCheck]:
    """Compare every module's tables with the code.

    Raises:
        DatabaseUnavailable: The database is not available.
    """
    with _engine_of(backend) as engine:
        return check(engine, histories)


def explain_squashed(backend: Backend, found: Sequence[SchemaCheck]) -> str | None:
    """Return why the database cannot be upgraded by any command, and the way out; None when it can."""
    with _engine_of(backend) as engine:
        return _find_squashed(engine, found)


def _refuse_squashed(engine: Engine, found: Sequence[SchemaCheck]) -> None:
    refusal = _find_squashed(engine, found)
    if refusal is not None:
        raise SchemaMismatch(refusal)


def _find_squashed(engine: Engine, found: Sequence[SchemaCheck]) -> str | None:
    signs = [f"{each.module} is at revision {each.found}" for each in found if each.state is SchemaState.SQUASHED]
    table = find_catalog_table(engine)
    if table is not None:
        signs.append(f"it has the table {table}")
    if not signs:
        return None
    return (
        f"This database is from an older version, before the revisions were squashed ({signs[0]}) and cannot be "
        "upgraded: check out"
        f" {LAST_COMMIT_BEFORE_SQUASH}, the last commit that can run it, save its providers with `fairground export "
        "providers FILE`, and import that file into a new, empty database (set FAIRGROUND_DATABASE_URL or "
        "FAIRGROUND_DATA_DIR and run `fairground db upgrade`); accounts, bookings and payments are not taken"
        " along."
    )


def require_file(backend: Backend) -> None:
    """Raise SchemaMismatch when the database is a file that is not there: looking must not make it."""
    if backend.file is not None and not backend.file.exists():
        raise SchemaMismatch(
            f"There is no database at {backend.file} yet. Run `fairground up` to create one with a demo, or "
            "`fairground db upgrade` for an empty one."
        )


def require_schema(backend: Backend, histories: Sequence[History]) -> None:
    """Raise SchemaMismatch unless the database is exactly at the state of the code."""
    require_file(backend)
    with _engine_of(backend) as engine:
        found = check(engine, histories)
        _refuse_squashed(engine, found)
    states = {entry.state for entry in found}
    if SchemaState.AHEAD in states:
        raise SchemaMismatch(
            "The database was upgraded by a newer version of Fairground. Run that version, or restore an older backup."
        )
    if SchemaState.BEHIND in states:
        raise SchemaMismatch("The database needs an upgrade. Run: fairground db upgrade")


def upgrade_schema(backend: Backend, histories: Sequence[History]) -> list[str]:
    """Bring the database to the state of the code, all of it or nothing; return the modules that changed.

    A database that is a file is copied beside itself first, when there is something to lose.

    Raises:
        SchemaMismatch: It was made by newer code, or is from before the squash.
        DatabaseUnavailable: It does not answer, or the copy could not be made.
    """
    with _engine_of(backend) as engine:
        found = check(engine, histories)
        _refuse_squashed(engine, found)
        if any(entry.state is SchemaState.AHEAD for entry in found):
            require_schema(backend, histories)
        if all(entry.state is SchemaState.CURRENT for entry in found):
            return []
        if backend.file is not None and _would_lose(found):
            backend.back_up_to(_copy_beside(backend.file))
        from fairground.platform.db.migrate import upgrade  # noqa: PLC0415 - Alembic is a tenth of a start

        with engine.begin() as connection:
            backend.lock_schema(connection)
            return upgrade(connection, histories)


def repair_schema(backend: Backend, histories: Sequence[History]) -> None:
    """Create again what was dropped by hand. Only a command does it: a silent repair at start would hide the loss.

    Raises:
        GuardError: One cannot be created; the message says why and what to do.
        DatabaseUnavailable: The database is not available.
    """
    with _engine_of(backend) as engine, engine.begin() as connection:
        backend.lock_schema(connection)
        restore_guards(connection, histories)


def _would_lose(found: Sequence[SchemaCheck]) -> bool:
    is_used = any(entry.found for entry in found)
    return is_used and any(entry.state is SchemaState.BEHIND for entry in found)


def _copy_beside(file: Path) -> Path:
    return file.with_name(f"{file.stem}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}{file.suffix}")

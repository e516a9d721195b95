"""db upgrade, db check, backup: the database itself."""

from pathlib import Path
from typing import Annotated

import typer

from fairground.entrypoints.cli.mistakes import Mistake
from fairground.entrypoints.compose import compose
from fairground.entrypoints.environment import load_settings
from fairground.platform.db.history import SchemaState
from fairground.platform.db.schema import check_schema, explain_squashed, repair_schema, require_file, upgrade_schema


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Compare the database with this code, and bring it up to date.", no_args_is_help=True)
    commands.command("upgrade")(upgrade)
    commands.command("check")(check)
    app.add_typer(commands, name="db")
    app.command("backup")(back_up)


def upgrade() -> None:
    """Upgrade the database to the schema of this code.

    All modules are upgraded, or none. A missing database is created, without a demo. A database file with content is
    copied beside itself first, as NAME.before-DATE-TIME.db. Stop the servers of the older code before.
    A guard that was dropped is created again.
    """
    program = compose(load_settings(), is_secondary=True)
    changed = upgrade_schema(program.db.backend, program.histories)
    repair_schema(program.db.backend, program.histories)
    typer.echo(f"Updated: {', '.join(changed)}." if changed else "The database is up to date.")


def check() -> None:
    """Compare the database with this code.

    Says for each part which revision the database has and which one the code needs. Ends with 0 when they are equal,
    with 1 when they are not; `fairground db upgrade` mends what is behind. What is squashed cannot be upgraded: a line
    on standard error says how to take its providers along.
    """
    program = compose(load_settings(), is_secondary=True)
    require_file(program.db.backend)
    found = check_schema(program.db.backend, program.histories)
    for entry in found:
        typer.echo(f"{entry.module:<16} {entry.state:<8} {entry.found or '-'} of {entry.expected}")
    squashed = explain_squashed(program.db.backend, found)
    if squashed is not None:
        typer.echo(squashed, err=True)
    if squashed is not None or any(entry.state is not SchemaState.CURRENT for entry in found):
        raise typer.Exit(1)


def back_up(
    file: Annotated[
        Path,
        typer.Argument(help="Where to put the copy; it must not be there yet.", metavar="FILE", show_default=False),
    ],
) -> None:
    """Copy the whole database to FILE, beside a running server.

    The copy shows one moment, whatever is written meanwhile. A copy of SQLite is a database file: to go back to it,
    stop the server and put it in the place of var/fairground.db. One of PostgreSQL is what pg_restore reads.

    Pictures, kept mail and the sandbox's money lie beside the database in var/ and are not in the copy.
    """
    if file.exists():
        raise Mistake(f"{file} is there already. Name a file that is not, so that no copy is lost.")
    if not file.parent.is_dir():
        raise Mistake(f"The folder {file.parent} is not there. Create it, or name another one.")
    backend = compose(load_settings(), is_secondary=True).db.backend
    require_file(backend)
    backend.back_up_to(file)
    typer.echo(f"Copied to {file} ({file.stat().st_size:,} bytes).")

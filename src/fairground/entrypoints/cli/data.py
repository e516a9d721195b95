"""db upgrade, db check, backup, search reindex: the database and what is derived from its rows."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fairground.contracts.discovery import Discovery
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.environment import load_settings
from fairground.platform.db.history import SchemaState
from fairground.platform.db.schema import check_schema, explain_squashed, repair_schema, require_file, upgrade_schema


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Compare the database with this code, and upgrade it.", no_args_is_help=True)
    commands.command("upgrade")(upgrade)
    commands.command("check")(check)
    app.add_typer(commands, name="db")
    app.command("backup")(back_up)
    search = typer.Typer(help="Maintain the search index.", no_args_is_help=True)
    search.command("reindex")(reindex)
    # Without a callback, typer drops the name of a group's only command.
    search.callback()(_group)
    app.add_typer(search, name="search")


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

    Prints for each part which revision the database has and which one the code needs. The exit code is 0 when they are
    equal, else 1; `fairground db upgrade` upgrades a database that is behind. What is squashed cannot be upgraded; a
    line on standard error says how to take its providers along.
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
        typer.Argument(help="The file of the copy; it must not exist yet.", metavar="FILE", show_default=False),
    ],
) -> None:
    """Copy the whole database to FILE, beside a running server.

    The copy shows one moment, whatever is written meanwhile. A copy of SQLite is a database file: to go back to it,
    stop the server and put it in the place of var/fairground.db. One of PostgreSQL is what pg_restore reads.

    Pictures, kept mail and the sandbox's money are beside the database in var/, and not in the copy.
    """
    if file.exists():
        raise Mistake(f"{file} exists already. Name a file that does not, so that no copy is lost.")
    if not file.parent.is_dir():
        raise Mistake(f"The folder {file.parent} does not exist. Create it, or name another one.")
    backend = compose(load_settings(), is_secondary=True).db.backend
    require_file(backend)
    backend.back_up_to(file)
    typer.echo(f"Copied to {file} ({file.stat().st_size:,} bytes).")


def _group() -> None:
    """Maintain the search index."""


def reindex() -> None:
    """Rebuild the search index of every provider, beside a running server.

    Every change updates the index by itself; this command is for an index of an older version. It takes 500 providers
    in a transaction and can be interrupted and repeated: documents that are up to date are not written again.
    """

    async def index_all(program: Program) -> int:
        discovery = program.links.of(Discovery)
        done, after = 0, None
        while step := await discovery.rebuild(after=after):
            done, after = done + step.count, step.last_id
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{done:,} providers")
        return done

    done = run_secondary(index_all)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    typer.echo(f"looked at {done:,} providers; search finds them as they are now")

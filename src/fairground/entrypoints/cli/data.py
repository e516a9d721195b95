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
    commands = typer.Typer(help="Check and upgrade the database.", no_args_is_help=True)
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
    """Upgrade the database to this version.

    Upgrades everything or nothing. Creates the database if there is none, without demo data. Backs up an existing
    SQLite file first, as NAME.before-DATE-TIME.db. Recreates dropped triggers and constraints. Stop all servers of the
    older version first.
    """
    program = compose(load_settings(), is_secondary=True)
    changed = upgrade_schema(program.db.backend, program.histories)
    repair_schema(program.db.backend, program.histories)
    typer.echo(f"Updated: {', '.join(changed)}." if changed else "The database is up to date.")


def check() -> None:
    """Check that the database matches this version.

    Shows the current and the required revision of each module. Exits with 0 if they match, with 1 if not; run
    `fairground db upgrade` to upgrade. A database from before the squash can't be upgraded; a message on standard error
    explains how to move its providers.
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
        typer.Argument(help="The backup file to create; it must not exist yet.", metavar="FILE", show_default=False),
    ],
) -> None:
    """Back up the database to FILE; works while the server runs.

    The backup is consistent, even during writes. For SQLite it is a database file: to restore it, stop the server and
    replace var/fairground.db. For PostgreSQL, restore it with pg_restore.

    Pictures, saved emails and sandbox payments are not included; they are in var/ next to the database.
    """
    if file.exists():
        raise Mistake(f"{file} already exists. Choose another file name.")
    if not file.parent.is_dir():
        raise Mistake(f"The folder {file.parent} does not exist. Create it, or choose another one.")
    backend = compose(load_settings(), is_secondary=True).db.backend
    require_file(backend)
    backend.back_up_to(file)
    typer.echo(f"Backed up to {file} ({file.stat().st_size:,} bytes).")


def _group() -> None:
    """Maintain the search index."""


def reindex() -> None:
    """Rebuild the search index; works while the server runs.

    The index updates itself; you only need this after upgrading from an older version. You can interrupt and repeat it:
    it works in batches of 500 providers and skips entries that are up to date.
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
    typer.echo(f"Checked {done:,} providers. The search index is up to date.")

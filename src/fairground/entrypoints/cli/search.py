"""search reindex: rebuilds the search index."""

import sys

import typer

from fairground.contracts.discovery import Discovery
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look after the search index.", no_args_is_help=True)
    commands.command("reindex")(reindex)
    # Without a callback, typer drops the name of a group's only command.
    commands.callback()(_group)
    app.add_typer(commands, name="search")


def _group() -> None:
    """Look after the search index."""


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

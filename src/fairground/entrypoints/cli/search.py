"""search reindex: the search index, made anew."""

import sys

import typer

from fairground.contracts.catalog import Catalog
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Look after the search index.", no_args_is_help=True)
    commands.command("reindex")(reindex)
    # A second command would make it a choice; until then this keeps its name in front of it.
    commands.callback()(_group)
    app.add_typer(commands, name="search")


def _group() -> None:
    """Look after the search index."""


def reindex() -> None:
    """Make the search index of every provider anew, beside a running server.

    Every change keeps the index right by itself; this is for one that an older version made. It takes 500 providers in
    a transaction and can be interrupted and repeated: what is right already is not written again.
    """

    async def index_all(program: Program) -> int:
        catalog = program.links.of(Catalog)
        done, after = 0, None
        while step := await catalog.index_providers(after=after):
            done, after = done + step.count, step.last_id
            if sys.stderr.isatty():
                sys.stderr.write(f"\r{done:,} providers")
        return done

    done = run_secondary(index_all)
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    typer.echo(f"looked at {done:,} providers; search finds them as they are now")

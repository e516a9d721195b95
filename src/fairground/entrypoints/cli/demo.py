"""demo: three hundred invented providers."""

from typing import Annotated

import typer

from fairground.entrypoints.cli.mistakes import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.entrypoints.demo import SEED, build_demo, require_place_for_demo


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed makes the same demo.")] = SEED,
    into_this_database: Annotated[
        bool, typer.Option("--into-this-database", help="Yes, into the database that the settings name.")
    ] = False,
) -> None:
    """Fill an empty installation with invented providers.

    Three hundred of them come with services, free times, bookings, reviews and pictures, and with accounts to sign in
    as, which are printed at the end. `fairground up` does this by itself in a database file that it has just made.
    """
    if not into_this_database:
        raise Mistake("The demo writes into the database that the settings name. Add --into-this-database to say so.")

    async def build(program: Program) -> str:
        await require_place_for_demo(program)
        typer.echo("Building the demo, which takes a minute or less …", err=True)
        return await build_demo(program, seed=seed)

    typer.echo(run_secondary(build, is_silent=True))

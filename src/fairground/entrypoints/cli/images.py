"""images doctor and warm: the state of pictures, and renditions that are made before the first request."""

from typing import Annotated

import typer

from fairground.entrypoints.cli.running_server import Address, show_warmed
from fairground.entrypoints.cli.secondary import checks_of, run_checks, run_secondary
from fairground.entrypoints.compose import Program
from fairground.ops.images.prewarm import warm_pictures


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Check pictures, and render them ahead.", no_args_is_help=True)
    commands.command("doctor")(examine_pictures)
    commands.command("warm")(warm)
    app.add_typer(commands, name="images")


def examine_pictures() -> None:
    """Look for what is wrong with pictures: rows, files, what pages refer to, and the library that makes them.

    Each fault is printed with what to do. The exit code is 1 when something is wrong; a warning is none.
    """

    async def look(program: Program) -> bool:
        return await run_checks(checks_of(program.modules, "images"))

    if not run_secondary(look):
        raise typer.Exit(1)


def warm(
    *,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many providers of each area: the first.")] = 24,
    url: Address = "",
) -> None:
    """Request from a running server the pictures of lists and pages of the first providers, in all their sizes.

    Run it after a deploy or an import: no visitor then waits for a picture, and a CDN that the server names has it too.
    Prints status and time of each request. The exit code is 1 when a response is not 2xx.
    """
    show_warmed(url, lambda client: warm_pictures(client, top=top))

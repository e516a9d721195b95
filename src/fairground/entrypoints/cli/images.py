"""images doctor and warm: the state of pictures, and renditions that are made before the first request."""

from typing import Annotated

import typer

from fairground.entrypoints.cli.running_server import Address, show_warmed
from fairground.entrypoints.cli.secondary import checks_of, run_checks, run_secondary
from fairground.entrypoints.compose import Program
from fairground.ops.images.prewarm import warm_pictures


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Check pictures and pre-render them.", no_args_is_help=True)
    commands.command("doctor")(examine_pictures)
    commands.command("warm")(warm)
    app.add_typer(commands, name="images")


def examine_pictures() -> None:
    """Check pictures for problems: database rows, files, references and the image library.

    Prints each problem with its fix. Exits with 1 if something is wrong; warnings don't count.
    """

    async def look(program: Program) -> bool:
        return await run_checks(checks_of(program.modules, "images"))

    if not run_secondary(look):
        raise typer.Exit(1)


def warm(
    *,
    top: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many providers per category, from the top of the list.")
    ] = 24,
    url: Address = "",
) -> None:
    """Pre-render the pictures of the top providers, in all sizes, on a running server.

    Run it after a deploy or an import, so visitors don't wait for pictures; it fills your CDN too. Prints status and
    time of each request. Exits with 1 if any response is not 2xx.
    """
    show_warmed(url, lambda client: warm_pictures(client, top=top))

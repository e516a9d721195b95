"""images doctor and warm: how pictures stand, and having them made before anybody asks."""

from typing import Annotated

import typer

from fairground.contracts.catalog import Galleries
from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import PictureCare
from fairground.entrypoints.cli.guests import run_as_guest
from fairground.entrypoints.cli.servers import Address, show_warmed
from fairground.entrypoints.compose import Program
from fairground.ops.images.examining import examine
from fairground.ops.images.warming import warm_pictures
from fairground.platform.findings import Verdict


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="See how pictures stand, and have them made.", no_args_is_help=True)
    commands.command("doctor")(examine_pictures)
    commands.command("warm")(warm)
    app.add_typer(commands, name="images")


def examine_pictures() -> None:
    """Look for what is wrong with pictures: rows, files, what pages refer to, and the library that makes them.

    Says what to do about each. The exit code is 1 when something is wrong; a warning is none.
    """

    async def look(program: Program) -> bool:
        links, is_right = program.links, True
        care, galleries, embedded = links.of(PictureCare), links.of(Galleries), links.of(EmbeddedPictures)
        async for finding in examine(care=care, galleries=galleries, embedded=embedded):
            typer.echo(f"{finding.verdict:<8} {finding.told}")
            is_right = is_right and finding.verdict is not Verdict.WRONG
        return is_right

    if not run_as_guest(look):
        raise typer.Exit(1)


def warm(
    *,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many providers of each area: the first.")] = 24,
    url: Address = "",
) -> None:
    """Ask a running server for the pictures that lists and pages of the first providers show, in all their sizes.

    After a deploy or an import nobody waits then for a picture to be made; a CDN that the server names has it too.
    Shows status and time of each. The exit code is 1 when an answer was not 2xx.
    """
    show_warmed(url, lambda client: warm_pictures(client, top=top))

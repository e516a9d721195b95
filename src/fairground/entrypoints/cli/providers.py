"""providers invite: the owners of imported providers."""

import typer

from fairground.contracts.providers.claims import INVITATION_DAYS, Claims
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Invite the owners of imported providers.", no_args_is_help=True)
    commands.command("invite")(invite)
    app.add_typer(commands, name="providers")


def invite() -> None:
    """Mail a link to the owners of imported providers whose address an import brought (`contact_email` in the map).

    The link makes its reader the owner of the page. It works once, for 14 days; a provider whose last link still works
    gets none. A running server or worker sends the mails.
    """

    async def run(program: Program) -> int:
        return await program.links.of(Claims).invite_owners()

    report(run_secondary(run))


def report(count: int) -> None:
    if count:
        typer.echo(f"{count:,} invitations are being mailed; each link works for {INVITATION_DAYS} days.")
    else:
        typer.echo("There is no owner to invite: no imported provider has an address and no link that works.")

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
    """Email owners of imported providers a link to claim their page, using `contact_email` from the import.

    Each link works once, for 14 days. Owners with a valid link don't get another. A running server or worker sends the
    emails.
    """

    async def run(program: Program) -> int:
        return await program.links.of(Claims).invite_owners()

    report(run_secondary(run))


def report(count: int) -> None:
    if count:
        typer.echo(f"Sending invitations: {count:,}. Each link works for {INVITATION_DAYS} days.")
    else:
        typer.echo("No owners to invite: every imported provider has a valid link or no email address.")

"""users create, users list."""

import sys
from typing import Annotated

import typer

from fairground.contracts.accounts import Accounts, Role
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Create accounts of any role, and list accounts.", no_args_is_help=True)
    commands.command("create")(create)
    commands.command("list")(list_users)
    app.add_typer(commands, name="users")


def create(
    role: Annotated[Role, typer.Option(help="What the account may do.", show_default=False)],
    email: Annotated[str, typer.Option(help="The address to sign in with.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="The name to show; the part before the @ if unset.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Create an account of any role; its address counts as verified.

    This creates the first admin, for example. The password is read from standard input, one line:

    \b
      read -rs PASSWORD
      echo "$PASSWORD" | fairground users create --role admin --email me@example.org --password-stdin
    """  # noqa: D301 - the sign itself is what keeps the lines behind it as they are
    if not password_stdin:
        raise Mistake(
            "The password is missing. Pipe it in and add --password-stdin, so that it is not in your shell's history."
        )
    password = sys.stdin.readline().rstrip("\n")

    async def create_account(program: Program) -> str:
        user = await program.links.of(Accounts).create_user(
            email=email, password=password, name=name or email.partition("@")[0], role=role
        )
        return f"{user.email} is {user.role}."

    typer.echo(run_secondary(create_account))


def list_users(
    role: Annotated[Role | None, typer.Option(help="Only accounts of this role.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(help="At most this many, the newest first.", min=1, max=10_000)] = 50,
) -> None:
    """List accounts, the newest first."""

    async def list_them(program: Program) -> None:
        for user in await program.links.of(Accounts).list_users(role=role, limit=limit):
            state = "verified" if user.email_verified else "unverified"
            typer.echo(f"{user.created_at:%Y-%m-%d}  {user.role:<9} {state:<10}  {user.email}  {user.name}")

    run_secondary(list_them)

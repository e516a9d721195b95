"""users create, list, suspend, restore, reset-password, role."""

import sys
from typing import Annotated, Final

import typer

from fairground.contracts.accounts import Accounts, AccountStatus, Role, StaffAccounts, User
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program

Email = Annotated[str, typer.Argument(help="The address of the account.", show_default=False)]
_OPERATOR: Final = None
"""The acting member of staff, where a command acts."""


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Create, list, suspend and restore accounts, and give roles.", no_args_is_help=True)
    commands.command("create")(create)
    commands.command("list")(list_users)
    commands.command("suspend")(suspend)
    commands.command("restore")(restore)
    commands.command("reset-password")(reset_password)
    commands.command("role")(set_role)
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
    password = _read_password(is_piped=password_stdin)

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
            state = state if user.status is AccountStatus.ACTIVE else user.status.value
            typer.echo(f"{user.created_at:%Y-%m-%d}  {user.role:<9} {state:<10}  {user.email}  {user.name}")

    run_secondary(list_them)


def suspend(
    email: Email,
    reason: Annotated[str, typer.Option(help="Why, for staff alone; the user is not shown it.", show_default=False)],
) -> None:
    """Suspend an account: its sessions and tokens end, it cannot sign in, and its provider's page is hidden."""

    async def suspend_account(program: Program) -> str:
        user = await _get_user(program, email)
        staff = program.links.of(StaffAccounts)
        await staff.suspend_user(staff_id=_OPERATOR, user_id=user.id, reason=reason)
        return f"{user.email} is suspended, and signed out everywhere. Undo it: fairground users restore {user.email}"

    typer.echo(run_secondary(suspend_account))


def restore(email: Email) -> None:
    """End the suspension of an account."""

    async def restore_account(program: Program) -> str:
        user = await _get_user(program, email)
        await program.links.of(StaffAccounts).restore_user(staff_id=_OPERATOR, user_id=user.id)
        return f"{user.email} can sign in again."

    typer.echo(run_secondary(restore_account))


def reset_password(
    email: Email,
    *,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Set a new password, which is read from standard input, one line; all sessions and tokens end."""
    password = _read_password(is_piped=password_stdin)

    async def set_password(program: Program) -> str:
        user = await _get_user(program, email)
        await program.links.of(Accounts).set_password(user_id=user.id, password=password)
        return f"{user.email} has a new password, and is signed out everywhere."

    typer.echo(run_secondary(set_password))


def set_role(
    email: Email,
    role: Annotated[Role, typer.Argument(help="What the account may do from now on.", show_default=False)],
) -> None:
    """Give an account another role; its sessions and tokens end."""

    async def give_role(program: Program) -> str:
        user = await _get_user(program, email)
        if user.role is role:
            return f"{user.email} is {role} already."
        await program.links.of(StaffAccounts).set_role(staff_id=_OPERATOR, user_id=user.id, role=role)
        return f"{user.email} is {role} now (was {user.role}), and is signed out everywhere."

    typer.echo(run_secondary(give_role))


async def _get_user(program: Program, email: str) -> User:
    user = await program.links.of(Accounts).find_user_by_email(email=email)
    if user is None:
        raise Mistake(f"There is no account with the address {email}. See: fairground users list")
    return user


def _read_password(*, is_piped: bool) -> str:
    if not is_piped:
        raise Mistake(
            "The password is missing. Pipe it in and add --password-stdin, so that it is not in your shell's history."
        )
    return sys.stdin.readline().rstrip("\n")

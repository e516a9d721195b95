"""users create, list, suspend, restore, reset-password, role."""

import sys
from typing import Annotated, Final

import typer

from fairground.contracts.accounts import Accounts, AccountStatus, Role, StaffAccounts, User
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program

Email = Annotated[str, typer.Argument(help="Email address of the account.", show_default=False)]
_OPERATOR: Final = None
"""The acting member of staff, where a command acts."""


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Create and manage accounts.", no_args_is_help=True)
    commands.command("create")(create)
    commands.command("list")(list_users)
    commands.command("suspend")(suspend)
    commands.command("restore")(restore)
    commands.command("reset-password")(reset_password)
    commands.command("role")(set_role)
    app.add_typer(commands, name="users")


def create(
    role: Annotated[Role, typer.Option(help="Role of the account.", show_default=False)],
    email: Annotated[str, typer.Option(help="Email address to sign in with.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="Display name; the part before the @ if omitted.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
) -> None:
    """Create an account with any role. Its email address counts as confirmed.

    Use this to create the first admin, for example. The password is read from standard input:

    \b
      read -rs PASSWORD
      echo "$PASSWORD" | fairground users create --role admin --email me@example.org --password-stdin
    """  # noqa: D301 - the sign itself is what keeps the lines behind it as they are
    password = _read_password(is_piped=password_stdin)

    async def create_account(program: Program) -> str:
        user = await program.links.of(Accounts).create_user(
            email=email, password=password, name=name or email.partition("@")[0], role=role
        )
        return f"{user.email} created with the role {user.role}."

    typer.echo(run_secondary(create_account))


def list_users(
    role: Annotated[Role | None, typer.Option(help="Only accounts with this role.", show_default=False)] = None,
    limit: Annotated[int, typer.Option(help="Maximum number of accounts to list.", min=1, max=10_000)] = 50,
) -> None:
    """List accounts, newest first."""

    async def list_them(program: Program) -> None:
        for user in await program.links.of(Accounts).list_users(role=role, limit=limit):
            state = "verified" if user.email_verified else "unverified"
            state = state if user.status is AccountStatus.ACTIVE else user.status.value
            typer.echo(f"{user.created_at:%Y-%m-%d}  {user.role:<9} {state:<10}  {user.email}  {user.name}")

    run_secondary(list_them)


def suspend(
    email: Email,
    reason: Annotated[str, typer.Option(help="Reason, visible to staff only.", show_default=False)],
) -> None:
    """Suspend an account: signs it out everywhere, blocks sign-in and hides its provider page."""

    async def suspend_account(program: Program) -> str:
        user = await _get_user(program, email)
        staff = program.links.of(StaffAccounts)
        await staff.suspend_user(staff_id=_OPERATOR, user_id=user.id, reason=reason)
        return f"{user.email} is suspended and signed out everywhere. To undo: fairground users restore {user.email}"

    typer.echo(run_secondary(suspend_account))


def restore(email: Email) -> None:
    """Restore a suspended account."""

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
    """Set a new password, read from standard input, and sign the account out everywhere."""
    password = _read_password(is_piped=password_stdin)

    async def set_password(program: Program) -> str:
        user = await _get_user(program, email)
        await program.links.of(Accounts).set_password(user_id=user.id, password=password)
        return f"{user.email} has a new password and is signed out everywhere."

    typer.echo(run_secondary(set_password))


def set_role(
    email: Email,
    role: Annotated[Role, typer.Argument(help="The new role.", show_default=False)],
) -> None:
    """Change the role of an account and sign it out everywhere."""

    async def give_role(program: Program) -> str:
        user = await _get_user(program, email)
        if user.role is role:
            return f"{user.email} already has the role {role}."
        await program.links.of(StaffAccounts).set_role(staff_id=_OPERATOR, user_id=user.id, role=role)
        return f"{user.email} now has the role {role} (was {user.role}) and is signed out everywhere."

    typer.echo(run_secondary(give_role))


async def _get_user(program: Program, email: str) -> User:
    user = await program.links.of(Accounts).find_user_by_email(email=email)
    if user is None:
        raise Mistake(f"No account with the email {email}. See: fairground users list")
    return user


def _read_password(*, is_piped: bool) -> str:
    if not is_piped:
        raise Mistake(
            "The password is missing. Pipe it in with --password-stdin, which keeps it out of your shell history."
        )
    return sys.stdin.readline().rstrip("\n")

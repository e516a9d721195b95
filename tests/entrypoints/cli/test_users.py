from tests.entrypoints.cli.conftest import CommandLine, Outcome

PASSWORD = "seven quiet lanterns\n"


def create(cli: CommandLine, email: str, *, role: str = "admin", stdin: str = PASSWORD) -> Outcome:
    return cli("users", "create", "--role", role, "--email", email, "--password-stdin", stdin=stdin)


def test_an_account_of_any_role_is_opened_and_listed(installed: CommandLine) -> None:
    assert create(installed, "ada@example.org").out == "ada@example.org created with the role admin.\n"
    assert (
        create(installed, "kim@example.org", role="provider").out == "kim@example.org created with the role provider.\n"
    )
    listed = installed("users", "list").out.splitlines()
    assert [line.split()[1:4] for line in listed] == [
        ["provider", "verified", "kim@example.org"],
        ["admin", "verified", "ada@example.org"],
    ]
    assert "kim@" not in installed("users", "list", "--role", "admin").out


def test_a_password_must_come_from_standard_input(installed: CommandLine) -> None:
    missing = installed("users", "create", "--role", "admin", "--email", "ada@example.org")
    assert missing.refusal.startswith("The password is missing. Pipe it in with --password-stdin")


def test_refusals_of_accounts_are_shown_unchanged(installed: CommandLine) -> None:
    assert "The password is too short." in create(installed, "ada@example.org", stdin="short\n").refusal
    assert "The password is too short." in create(installed, "ada@example.org", stdin="").refusal
    assert "too common" in create(installed, "ada@example.org", stdin="password1234").refusal
    assert "not a valid email address" in create(installed, "ada").refusal
    assert create(installed, "ada@example.org").code == 0
    assert "An account with this email address already exists." in create(installed, "ADA@example.org").refusal


def test_account_is_suspended_restored_and_given_a_role_and_a_password(installed: CommandLine) -> None:
    create(installed, "kim@example.org", role="provider")
    assert "kim@example.org is suspended" in installed("users", "suspend", "KIM@example.org", "--reason", "Spam.").out
    assert "suspended" in installed("users", "list").out
    again = installed("users", "suspend", "kim@example.org", "--reason", "Spam.")
    assert "This account is suspended, not active." in again.refusal
    assert installed("users", "restore", "kim@example.org").out == "kim@example.org can sign in again.\n"
    assert "This account is active, not suspended." in installed("users", "restore", "kim@example.org").refusal
    assert "now has the role staff (was provider)" in installed("users", "role", "kim@example.org", "staff").out
    assert installed("users", "role", "kim@example.org", "staff").out == "kim@example.org already has the role staff.\n"
    assert "provider" not in installed("users", "list").out
    reset = ("users", "reset-password", "kim@example.org")
    assert "The password is missing." in installed(*reset).refusal
    assert "The password is too short." in installed(*reset, "--password-stdin", stdin="short\n").refusal
    assert "has a new password" in installed(*reset, "--password-stdin", stdin=PASSWORD).out


def test_account_that_does_not_exist_is_named(installed: CommandLine) -> None:
    expected = "No account with the email who@example.org."
    assert expected in installed("users", "restore", "who@example.org").refusal
    assert expected in installed("users", "role", "who@example.org", "admin").refusal

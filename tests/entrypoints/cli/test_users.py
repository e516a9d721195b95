from tests.entrypoints.cli.conftest import CommandLine, Outcome

PASSWORD = "seven quiet lanterns\n"


def create(cli: CommandLine, email: str, *, role: str = "admin", stdin: str = PASSWORD) -> Outcome:
    return cli("users", "create", "--role", role, "--email", email, "--password-stdin", stdin=stdin)


def test_an_account_of_any_role_is_opened_and_listed(installed: CommandLine) -> None:
    assert create(installed, "ada@example.org").out == "ada@example.org is admin.\n"
    assert create(installed, "kim@example.org", role="provider").out == "kim@example.org is provider.\n"
    listed = installed("users", "list").out.splitlines()
    assert [line.split()[1:4] for line in listed] == [
        ["provider", "verified", "kim@example.org"],
        ["admin", "verified", "ada@example.org"],
    ]
    assert "kim@" not in installed("users", "list", "--role", "admin").out


def test_a_password_must_come_from_standard_input(installed: CommandLine) -> None:
    missing = installed("users", "create", "--role", "admin", "--email", "ada@example.org")
    assert missing.refusal.startswith("The password is missing. Pipe it in and add --password-stdin")


def test_refusals_of_accounts_are_shown_unchanged(installed: CommandLine) -> None:
    assert "The password has 5 characters" in create(installed, "ada@example.org", stdin="short\n").refusal
    assert "The password has 0 characters" in create(installed, "ada@example.org", stdin="").refusal
    assert "among the first that are guessed" in create(installed, "ada@example.org", stdin="password1234").refusal
    assert "not an e-mail address" in create(installed, "ada").refusal
    assert create(installed, "ada@example.org").code == 0
    assert "There is an account with this e-mail address already." in create(installed, "ADA@example.org").refusal

import pytest

from tests.entrypoints.cli.conftest import CommandLine


def test_demo_needs_the_option_into_this_database(installed: CommandLine) -> None:
    assert "Add --into-this-database" in installed("demo").refusal


def test_a_database_that_has_users_gets_no_demo(installed: CommandLine) -> None:
    installed(
        *("users", "create", "--role", "admin", "--email", "ada@example.org", "--password-stdin"),
        stdin="seven quiet lanterns\n",
    )
    assert installed("demo", "--into-this-database").refusal.startswith("This installation has users already")


@pytest.mark.parametrize("setting", [{"HTTP_HOST": "0.0.0.0"}, {"PUBLIC_URL": "https://fair.example"}])
def test_demo_at_a_public_address_is_refused(installed: CommandLine, setting: dict[str, str]) -> None:
    installed.set(**setting)
    assert "set FAIRGROUND_ALLOW=demo-accounts" in installed("demo", "--into-this-database").refusal

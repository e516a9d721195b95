import pytest

from tests.entrypoints.cli.conftest import CommandLine


def test_the_demo_wants_to_be_told_that_this_is_the_database(installed: CommandLine) -> None:
    assert "Add --into-this-database" in installed("demo").refusal


def test_a_database_that_has_users_gets_no_demo(installed: CommandLine) -> None:
    installed(
        *("users", "create", "--role", "admin", "--email", "ada@example.org", "--password-stdin"),
        stdin="seven quiet lanterns\n",
    )
    assert installed("demo", "--into-this-database").refusal.startswith("This installation has users already")


@pytest.mark.parametrize("setting", [{"HTTP_HOST": "0.0.0.0"}, {"PUBLIC_URL": "https://fair.example"}])
def test_where_others_can_reach_it_there_is_no_demo(installed: CommandLine, setting: dict[str, str]) -> None:
    installed.set(**setting)
    assert "set FAIRGROUND_ALLOW=demo-accounts" in installed("demo", "--into-this-database").refusal

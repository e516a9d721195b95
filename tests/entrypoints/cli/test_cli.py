import subprocess
import sys

import pytest
import typer

from fairground.entrypoints import cli as commands
from tests.entrypoints.cli.conftest import CommandLine

COMMANDS = [
    "up",
    "serve",
    "worker",
    "demo",
    "import providers",
    "users create",
    "users list",
    "backup",
    "db upgrade",
    "db check",
    "jobs list",
    "jobs requeue",
    "cache flush",
    "prewarm",
    "search reindex",
    "storage check",
    "routes",
    "settings",
]


def test_without_a_command_the_help_names_them_all(cli: CommandLine) -> None:
    shown = cli()
    assert shown.code == 2
    assert "`fairground up` starts one" in shown.err
    for name in {command.split()[0] for command in COMMANDS}:
        assert f"\n  {name} " in shown.err


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_teaches_more_than_its_name(cli: CommandLine, command: str) -> None:
    shown = cli(*command.split(), "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"Usage: fairground {command}")
    assert len(shown.out.splitlines()) >= 6
    assert "\\" not in shown.out, "typer would take a backslash as a formatting command"


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (["nonsense"], "No such command 'nonsense'. `fairground --help` shows how to write it."),
        (["up", "--port", "3"], "No such option: --port. `fairground up --help` shows how to write it."),
        (["backup"], "Missing argument 'FILE'. `fairground backup --help` shows how to write it."),
        (["users", "create"], "Missing option '--role'"),
        (["users", "list", "--limit", "0"], "Invalid value for '--limit': it must be greater than or equal to 1."),
        (["users", "list", "--role", "king"], "'king' is not one of 'customer', 'provider', 'staff', 'admin'."),
        (["jobs", "requeue", "abc"], "Invalid value for 'ID': it must be a valid UUID"),
        (["demo", "--seed", "x"], "Invalid value for '--seed': it must be a valid integer"),
    ],
)
def test_wrong_argument_is_refused_in_one_sentence(cli: CommandLine, mistake: list[str], said: str) -> None:
    assert said in cli(*mistake).refusal


def test_commands_that_only_read_create_no_file(cli: CommandLine) -> None:
    for command in (["db", "check"], ["jobs", "list"], ["users", "list"], ["backup", "copy.db"]):
        assert cli(*command).refusal == (
            "There is no database at var/fairground.db yet. `fairground up` makes one with a demo,"
            " `fairground db upgrade` an empty one."
        )
    assert cli("routes").code == 0
    assert cli("settings").code == 0
    assert not list(cli.folder.iterdir())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"DATABASE_URL": "nonsense"},
            "FAIRGROUND_DATABASE_URL is not a database URL. Write sqlite:///path/to/file.db",
        ),
        ({"DATABASE_URL": "postgresql://a@127.0.0.1:x/c"}, "FAIRGROUND_DATABASE_URL is not a database URL."),
        ({"DATABASE_URL": "mysql://a@b/c"}, "FAIRGROUND_DATABASE_URL names 'mysql'; Fairground speaks sqlite://"),
        ({"DATABASE_URL": "sqlite:///:memory:"}, "Fairground keeps SQLite in a file of its own"),
        ({"DATABASE_URL": "postgresql://a@127.0.0.1:1/c"}, "Check that it runs and that FAIRGROUND_DATABASE_URL names"),
        ({"DATA_DIR": "/dev/null"}, "The folder /dev/null for the database cannot be made: "),
        ({"CATALOG_CURRENCY": "ZZZ"}, "FAIRGROUND_CURRENCY is 'ZZZ'; it must be one of AED, AFN, ALL,"),
        ({"CATALOG_CURRENCY": "IQD"}, "is 'IQD'; it must be a currency that the card processor takes, which are AED,"),
        ({"HTTP_PORT": "abc"}, "FAIRGROUND_HTTP_PORT is 'abc'; it must be a whole number from 0 to 65535."),
        ({"BOOKING_HOLD_SECONDS": "5"}, "FAIRGROUND_BOOKING_HOLD_SECONDS is '5'; it must be a number from 60 to "),
        ({"PUBLIC_URL": "fair.example"}, "it must be http:// or https:// with a host and no path"),
        (
            {"ALLOW": "money"},
            "is 'money'; it must be one or more of sandbox-money, mail-page and demo-accounts, with",
        ),
        ({"PAYMENTS_STRIPE_API_KEY": "sk"}, "FAIRGROUND_PAYMENTS_STRIPE_API_KEY and FAIRGROUND_PAYMENTS_"),
        ({"SMTP_URL": "http://x"}, "FAIRGROUND_SMTP_URL is not the address of a mail server."),
        (
            {"VERTICALS_DIR": "/nowhere"},
            "there is no such folder of packs. Create it, or unset ",
        ),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(cli: CommandLine, settings: dict[str, str], said: str) -> None:
    cli.set(**settings)
    assert said in cli("db", "upgrade").refusal


def test_a_secret_is_not_repeated(cli: CommandLine) -> None:
    cli.set(PAYMENTS_STRIPE_API_KEY="sk_live_secret", SMTP_URL="http://me:secret@mail.example")
    assert "secret@" not in cli("routes").refusal
    assert "sk_live" not in cli("routes").err


@pytest.mark.parametrize("name", commands.COMMANDS)
def test_help_of_all_commands_says_what_the_command_itself_says(name: str) -> None:
    command = commands.Commands(name="fairground").get_command(typer.Context, name)  # type: ignore[arg-type]
    first, _, _ = (command.help or "").strip().partition("\n\n")
    assert commands.COMMANDS[name][1] == " ".join(first.split())


def test_help_loads_no_command() -> None:
    program = (
        "import sys; from fairground.entrypoints.cli import main\n"
        "try: main(['--help'])\n"
        "finally: print([name for name in sys.modules if name.startswith(('fairground.modules', 'sqlalchemy'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")

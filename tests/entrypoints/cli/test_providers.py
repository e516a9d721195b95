import json

from tests.entrypoints.cli.conftest import CommandLine

MAP = """
source = "club-list"
currency = "EUR"
[fields]
external_id = { column = "id" }
business_name = { column = "name" }
location = { value = "Oslo, Norway" }
categories = { value = "pianist" }
contact_email = { column = "mail" }
"""


def imports(installed: CommandLine, *more: str, mail: str = "ann@example.org") -> str:
    (installed.folder / "MAP.toml").write_text(MAP)
    rows = [{"id": 1, "name": "Ann", "mail": mail}, {"id": 2, "name": "Bob", "mail": ""}]
    (installed.folder / "acts.json").write_text(json.dumps(rows))
    shown = installed("import", "providers", "acts.json", "--vertical", "artists", "--map", "MAP.toml", *more)
    return shown.out + shown.err


def test_import_invites_owners_when_asked_to(installed: CommandLine) -> None:
    assert "invitations" not in imports(installed)
    assert "Sending invitations: 1. Each link works for 14 days." in imports(installed, "--invite")


def test_owners_are_invited_later(installed: CommandLine) -> None:
    assert installed("providers", "invite").out.startswith("No owners to invite")
    imports(installed)
    assert installed("providers", "invite").out.startswith("Sending invitations: 1.")


def test_rehearsal_invites_no_owner(installed: CommandLine) -> None:
    assert "invitations" not in imports(installed, "--invite", "--dry-run")


def test_address_that_is_none_rejects_its_row(installed: CommandLine) -> None:
    shown = imports(installed, mail="Ann at home")
    assert "mail: 'Ann at home' is not an email address; write it as name@example.org, or leave it empty." in shown

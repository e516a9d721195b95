"""A server refuses to start without the guard against double bookings, and names the command that repairs it."""

from pathlib import Path

import pytest

from tests.support.databases import migrate
from tests.support.rushes import drop_guard
from tests.support.servers import Installation


@pytest.fixture
def installation(database_url: str, tmp_path: Path) -> Installation:
    migrate(database_url)
    return Installation(database_url=database_url, data_dir=tmp_path / "data")


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_server_without_the_guard_starts_only_after_the_repair(installation: Installation, command: str) -> None:
    drop_guard(installation.database_url)
    refused = installation.run(command)
    assert refused.exit_code == 2
    assert refused.output == (
        "fairground: The table booking_allocation has lost its protection against double bookings, so the server "
        "refuses requests. Run `fairground db upgrade` to restore it.\n"
    )
    assert installation.run("db", "upgrade").exit_code == 0
    with installation.serving() as server:
        assert server.stop() == 0

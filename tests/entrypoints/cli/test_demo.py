"""Where the demo may be built. What it holds is tested in tests/ops/demo."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.entrypoints.cli.demo import build_demo, remove_interrupted
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings, SettingsError
from fairground.modules.payments.module import SANDBOX_FILE
from tests.entrypoints.cli.conftest import CommandLine


async def test_an_installation_that_has_users_gets_no_demo(migrated_url: str, tmp_path: Path) -> None:
    program = compose(Settings(database_url=migrated_url, data_dir=tmp_path), is_secondary=True)
    await program.links.of(Accounts).create_user(
        email="ada@example.org", password="seven quiet lanterns", name="Ada", role=Role.ADMIN
    )
    with pytest.raises(Mistake, match="already has users"):
        await build_demo(program, seed=1)
    assert len(await program.links.of(Accounts).list_users(role=None, limit=10)) == 1
    await program.db.close()


async def test_demo_accounts_at_a_public_address_are_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://fair.example")
    with pytest.raises(SettingsError, match="FAIRGROUND_ALLOW=demo-accounts"):
        await build_demo(compose(settings, is_secondary=True), seed=1)
    assert not list(tmp_path.iterdir())


def test_demo_needs_the_option_into_this_database(installed: CommandLine) -> None:
    assert "Add --into-this-database" in installed("demo").refusal


def test_a_database_that_has_users_gets_no_demo(installed: CommandLine) -> None:
    installed(
        *("users", "create", "--role", "admin", "--email", "ada@example.org", "--password-stdin"),
        stdin="seven quiet lanterns\n",
    )
    assert installed("demo", "--into-this-database").refusal.startswith("This installation already has users")


@pytest.mark.parametrize("setting", [{"HTTP_HOST": "0.0.0.0"}, {"PUBLIC_URL": "https://fair.example"}])
def test_demo_at_a_public_address_is_refused(installed: CommandLine, setting: dict[str, str]) -> None:
    installed.set(**setting)
    assert "set FAIRGROUND_ALLOW=demo-accounts" in installed("demo", "--into-this-database").refusal


@pytest.mark.parametrize("was_interrupted", [True, False])
def test_play_money_of_an_interrupted_build_goes_with_its_database(tmp_path: Path, *, was_interrupted: bool) -> None:
    aside, kept = tmp_path / "fairground.db.building", tmp_path / "pictures"
    kept.mkdir()
    money = [tmp_path / SANDBOX_FILE, tmp_path / f"{SANDBOX_FILE}-wal"]
    for file in (*money, *([aside, tmp_path / f"{aside.name}-wal"] if was_interrupted else [])):
        file.touch()
    remove_interrupted(Settings(data_dir=tmp_path), aside)
    assert set(tmp_path.iterdir()) == ({kept} if was_interrupted else {kept, *money})


_PARENT = """
import os, time
from fairground.entrypoints.cli.demo import end_with_parent
child = os.fork()
if not child:
    end_with_parent(os.getppid())
print(child, flush=True)
time.sleep(60)
"""


def test_builder_ends_soon_after_its_parent_was_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        for _ in range(2):
            parent.stdout.readline()  # both run
        parent.kill()
        killed_at = time.monotonic()
        assert parent.stdout.read() == ""  # the pipe is open as long as the child is alive
    assert time.monotonic() - killed_at < 30

"""Where the demo may be built. What it holds is tested in tests/ops/demo."""

from pathlib import Path

import pytest

from fairground.contracts.accounts import Accounts, Role
from fairground.entrypoints.compose import compose
from fairground.entrypoints.demo import DemoRefused, build_demo
from fairground.entrypoints.settings import Settings, SettingsError


async def test_an_installation_that_has_users_gets_no_demo(migrated_url: str, tmp_path: Path) -> None:
    program = compose(Settings(database_url=migrated_url, data_dir=tmp_path), is_secondary=True)
    await program.links.of(Accounts).create_user(
        email="ada@example.org", password="seven quiet lanterns", name="Ada", role=Role.ADMIN
    )
    with pytest.raises(DemoRefused, match="has users already"):
        await build_demo(program, seed=1)
    assert len(await program.links.of(Accounts).list_users(role=None, limit=10)) == 1
    await program.db.close()


async def test_demo_accounts_at_a_public_address_are_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, public_url="https://fair.example")
    with pytest.raises(SettingsError, match="FAIRGROUND_ALLOW=demo-accounts"):
        await build_demo(compose(settings, is_secondary=True), seed=1)
    assert not list(tmp_path.iterdir())

"""Which processor it is depends on the settings alone."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fairground.contracts.payments import Payments
from fairground.modules.payments.module import SANDBOX_FILE, build
from fairground.modules.payments.settings import PaymentsSettings
from fairground.platform.db.database import Database
from fairground.platform.module import Links, Module
from tests.support.runtime import make_runtime

KEYS = {
    "FAIRGROUND_PAYMENTS_STRIPE_API_KEY": "sk_live_1",
    "FAIRGROUND_PAYMENTS_STRIPE_WEBHOOK_SECRET": "whsec_1",
}


@pytest.fixture(params=[{}, KEYS], ids=["sandbox", "stripe"])
async def module(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: Any
) -> AsyncIterator[tuple[Module, Links]]:
    for name, value in request.param.items():
        monkeypatch.setenv(name, value)
    links = Links()
    module = build(make_runtime(db, tmp_path), links)
    yield module, links
    assert module.stop is not None
    await module.stop()


def paths_of(module: Module) -> set[str]:
    return {route.path for router in module.routers for route in router.routes if hasattr(route, "path")}


async def test_only_the_sandbox_has_a_page_and_a_sender(module: tuple[Module, Links]) -> None:
    built, links = module
    assert links.of(Payments) is not None
    is_sandbox = PaymentsSettings().is_sandbox
    assert links.of(Payments).is_sandbox == is_sandbox
    assert ("/sandbox/3d-secure/{intent_id}/{token}" in paths_of(built)) == is_sandbox
    assert (built.start is not None) == is_sandbox
    assert "/webhooks/stripe" in paths_of(built)


async def test_building_touches_no_file(module: tuple[Module, Links], tmp_path: Path) -> None:
    assert module
    assert not (tmp_path / SANDBOX_FILE).exists()


@pytest.mark.parametrize("name", KEYS)
def test_half_an_account_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, KEYS[name])
    with pytest.raises(ValidationError, match="belong together"):
        PaymentsSettings()


def test_secrets_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    shown = repr(PaymentsSettings())
    assert not any(value in shown for value in KEYS.values())

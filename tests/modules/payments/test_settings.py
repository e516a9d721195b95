"""Which keys belong together, and what of the processor browsers use with them."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fairground.contracts.payments import Payments
from fairground.modules.payments.module import build
from fairground.modules.payments.settings import PaymentsSettings
from fairground.platform.db.database import Database
from fairground.platform.module import Links
from tests.support.runtime import make_runtime

LIVE = {"API_KEY": "sk_live_1", "WEBHOOK_SECRET": "whsec_1", "PUBLISHABLE_KEY": "pk_live_1"}
TEST = {"API_KEY": "sk_test_1", "WEBHOOK_SECRET": "whsec_1", "PUBLISHABLE_KEY": "pk_test_1"}


def set_keys(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]) -> None:
    for name, value in keys.items():
        monkeypatch.setenv(f"FAIRGROUND_PAYMENTS_STRIPE_{name}", value)


@pytest.mark.parametrize("keys", [LIVE, TEST, TEST | {"API_KEY": "rk_test_1"}])
def test_keys_of_one_mode_are_taken(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str]) -> None:
    set_keys(monkeypatch, keys)
    assert PaymentsSettings().stripe_publishable_key == keys["PUBLISHABLE_KEY"]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (LIVE | {"PUBLISHABLE_KEY": "pk_test_1"}, "of the test mode"),
        (TEST | {"PUBLISHABLE_KEY": "pk_live_1"}, "of the live mode"),
        (TEST | {"PUBLISHABLE_KEY": "sk_test_1"}, "must begin with pk_live_ or pk_test_"),
        ({"PUBLISHABLE_KEY": "pk_test_1"}, "of the test mode"),
        (LIVE | {"TEST_SERVER": "http://127.0.0.1:9"}, "needs a stripe_api_key of the test mode"),
        (TEST | {"TEST_SERVER": "http://stripe.example"}, "an address of this machine"),
        (TEST | {"TEST_SERVER": "http://127.0.0.1:9/v1"}, "an address of this machine"),
    ],
)
def test_keys_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch, keys: dict[str, str], reason: str) -> None:
    set_keys(monkeypatch, keys)
    with pytest.raises(ValidationError, match=reason) as refused:
        PaymentsSettings()
    assert "sk_" not in str(refused.value.errors()[0]["msg"]).replace("sk_live_…", "").replace("sk_test_…", "")


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_browsers_load_the_fields_from_stripe_alone(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, LIVE)
    links = Links()
    module = build(make_runtime(db, tmp_path), links)
    payments = links.of(Payments)
    assert payments.bank_origin == "https://*.stripe.com"
    assert payments.card_fields is not None
    assert payments.card_fields.model_dump() == {
        "publishable_key": "pk_live_1",
        "script_url": "https://js.stripe.com/endive/stripe.js",
        "script_origins": ("https://js.stripe.com", "https://*.js.stripe.com"),
        "frame_origins": ("https://js.stripe.com", "https://*.js.stripe.com", "https://hooks.stripe.com"),
        "connection_origins": ("https://api.stripe.com",),
    }
    assert module.stop is not None
    await module.stop()


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_without_a_publishable_key_there_are_no_fields(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_keys(monkeypatch, {name: value for name, value in LIVE.items() if name != "PUBLISHABLE_KEY"})
    links = Links()
    module = build(make_runtime(db, tmp_path), links)
    assert links.of(Payments).card_fields is None
    assert module.stop is not None
    await module.stop()

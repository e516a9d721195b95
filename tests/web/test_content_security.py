import base64
import hashlib
from pathlib import Path

import pytest

from fairground.web.assets import Assets
from fairground.web.content_security import Origins, content_security_policy, origin_of
from tests.support.marketplace import open_market
from tools.s3 import KEY_ID, SECRET


def test_the_policy_allows_exactly_the_inline_style_sheet() -> None:
    assets = Assets()
    digest = base64.b64encode(hashlib.sha256(assets.style.encode()).digest()).decode()
    policy = content_security_policy(assets.style_hash, Origins())
    assert f"style-src 'self' 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_policy_allows_other_servers_only_where_an_operator_names_them() -> None:
    alone = content_security_policy("sha256-x", Origins())
    assert "img-src 'self' data:; connect-src 'self';" in alone
    assert alone.endswith("form-action 'self'")
    named = content_security_policy("sha256-x", Origins(images=("https://a.example", "https://b.example")))
    assert "img-src 'self' data: https://a.example https://b.example;" in named


def test_servers_of_one_page_are_beside_those_of_every_page() -> None:
    every = Origins(connections=("https://s3.example",))
    paying = Origins(
        scripts=("https://js.x",), frames=("https://js.x", "https://hooks.x"), connections=("https://api.x",)
    )
    policy = content_security_policy("sha256-x", every.joined_with(paying))
    assert "script-src 'self' https://js.x;" in policy
    assert "frame-src https://js.x https://hooks.x;" in policy
    assert "connect-src 'self' https://s3.example https://api.x;" in policy
    alone = content_security_policy("sha256-x", every)
    assert "frame-src" not in alone
    assert "script-src 'self';" in alone


def test_origin_is_the_address_without_its_path() -> None:
    assert origin_of("https://cdn.example:8443/fair/pictures?x=1") == "https://cdn.example:8443"


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_policy_names_the_cdn_and_a_store_with_direct_uploads(
    migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = {
        "URL": "s3://pictures?endpoint=https://s3.example:9000",
        "ACCESS_KEY_ID": KEY_ID,
        "SECRET_ACCESS_KEY": SECRET,
        "CDN_URL": "https://cdn.example/fair",
    }
    for name, value in store.items():
        monkeypatch.setenv(f"FAIRGROUND_STORAGE_{name}", value)
    policies = []
    for takes_uploads in ("true", "false"):
        monkeypatch.setenv("FAIRGROUND_STORAGE_TAKES_DIRECT_UPLOADS", takes_uploads)
        async with open_market(migrated_url, folder=tmp_path) as market:
            page = await market.reader().open("/")
            policies.append(page.answer.headers["content-security-policy"])
    direct, past_us = policies
    assert "img-src 'self' data: https://cdn.example;" in direct
    assert "connect-src 'self' https://s3.example:9000;" in direct
    assert direct.partition("form-action ")[2].endswith(" https://s3.example:9000")
    assert "https://cdn.example" in past_us
    assert "s3.example" not in past_us

import base64
import hashlib
import tomllib
from pathlib import Path

import pytest

from fairground.web.assets import STATIC_FOLDER, STYLE_SHEETS, AssetNotFound, Assets

VENDOR_FOLDER = STATIC_FOLDER / "vendor"
FIRST_LINES = {
    "0BSD": "Zero-Clause BSD",
    "BSD-2-Clause": "BSD 2-Clause License",
    "ISC": "Copyright 2013-2019 Michael Bostock",
}


def test_an_address_changes_with_the_content_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    for name in STYLE_SHEETS:
        (tmp_path / "css" / f"{name}.css").write_text("")
    addresses = set()
    for content in ("first", "second"):
        (tmp_path / "app.js").write_text(content)
        addresses.add(Assets(tmp_path).url("app.js"))
    assert len(addresses) == 2


def test_the_file_behind_an_address_is_the_file_named() -> None:
    assets = Assets()
    found = assets.get(assets.url("app.js").removeprefix("/static/"))
    assert found.body == (STATIC_FOLDER / "app.js").read_bytes()
    assert found.media_type == "text/javascript"


@pytest.mark.parametrize(
    "address", ["app.js", "app.0000000000.js", "../assets.py", "css/base.css", "vendor/vendor.toml"]
)
def test_only_hashed_addresses_of_served_files_are_found(address: str) -> None:
    with pytest.raises(AssetNotFound):
        Assets().get(address)


def test_vendored_files_are_the_ones_that_were_published() -> None:
    files = tomllib.loads((VENDOR_FOLDER / "vendor.toml").read_text())["file"]
    assert files
    for file in files:
        digest = hashlib.sha384((VENDOR_FOLDER / file["path"]).read_bytes()).digest()
        assert base64.b64encode(digest).decode() == file["sha384"]
        first_line = (VENDOR_FOLDER / file["licence_file"]).read_text().partition("\n")[0]
        assert first_line == FIRST_LINES[file["licence"]]


def test_every_vendored_file_is_named() -> None:
    files = tomllib.loads((VENDOR_FOLDER / "vendor.toml").read_text())["file"]
    named = {"vendor.toml"} | {file["path"] for file in files} | {file["licence_file"] for file in files}
    assert {path.name for path in VENDOR_FOLDER.iterdir()} == named

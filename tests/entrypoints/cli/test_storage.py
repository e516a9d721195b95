import asyncio
import contextlib
import os
import sqlite3
from pathlib import Path

import pytest

from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from tests.entrypoints.cli.conftest import CommandLine
from tests.support.databases import copy_of
from tests.support.storage import folder_store
from tools.guardian import Server
from tools.s3 import KEY_ID, SECRET


@pytest.fixture
def migrated(cli: CommandLine, sqlite_template: Path, tmp_path: Path) -> CommandLine:
    cli.set(DATABASE_URL=copy_of(sqlite_template, tmp_path), DATA_DIR=str(tmp_path))
    return cli


@pytest.fixture
def on_server(cli: CommandLine, s3_server: Server) -> CommandLine:
    cli.set(STORAGE_URL=s3_server.url, STORAGE_ACCESS_KEY_ID=KEY_ID, STORAGE_SECRET_ACCESS_KEY=SECRET)
    return cli


def test_orphans_are_listed_first_and_removed_then(migrated: CommandLine, tmp_path: Path) -> None:
    store, key = folder_store(tmp_path), new_upload_key(content_type="image/png")
    original = content_key(Retention.ORIGINAL, b"kept", content_type="image/png")
    with contextlib.closing(sqlite3.connect(tmp_path / "fairground.db")) as database:
        database.execute("INSERT INTO media_original (digest, key) VALUES ('1', ?)", [original])
        database.commit()
    for each in (key, original):
        asyncio.run(store.put(each, b"kept"))
        os.utime(tmp_path / "media" / each, (0, 0))
    shown = migrated("storage", "orphans")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [f"1970-01-01 00:00 UTC             4  {key}", "1 objects, 4 bytes."]
    assert migrated("storage", "collect").out == "Removed 1 objects, 4 bytes, and 0 unfinished files.\n"
    assert migrated("storage", "orphans").out == "0 objects, 0 bytes.\n"
    assert (tmp_path / "media" / original).exists()


def test_a_folder_is_checked(cli: CommandLine, tmp_path: Path) -> None:
    cli.set(STORAGE_URL=f"file:{tmp_path}/shared%20media")
    outcome = cli("storage", "check")
    assert (outcome.code, outcome.err) == (0, "")
    assert {line.split()[0] for line in outcome.out.splitlines()} == {"ok"}
    assert [path.name for path in tmp_path.rglob("*.png")] == []
    assert (tmp_path / "shared media").is_dir()


def test_a_folder_that_cannot_be_used_is_named_to_the_operator(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cli.set(STORAGE_URL=f"file:{tmp_path}/file")
    outcome = cli("storage", "check")
    assert outcome.code == 1
    assert outcome.out.startswith("wrong ")
    assert f"{tmp_path}/file" in outcome.out


def test_a_server_is_checked_with_an_upload_as_browsers_make_them(on_server: CommandLine) -> None:
    outcome = on_server("storage", "check")
    assert (outcome.code, outcome.err) == (0, "")
    assert "browsers can upload straight to the store" in outcome.out
    assert "pages of http://127.0.0.1:8000 may send files to the store" in outcome.out
    assert {line.split()[0] for line in outcome.out.splitlines()} == {"ok"}


def test_a_server_that_lets_no_pages_of_ours_in_is_found_out(on_server: CommandLine) -> None:
    on_server.set(PUBLIC_URL="https://other.example")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    [wrong] = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert 'AllowedOrigins ["https://other.example"] and AllowedMethods ["POST"]' in wrong


def test_a_cdn_that_gives_something_else_is_found_out(on_server: CommandLine) -> None:
    on_server.set(STORAGE_CDN_URL="http://127.0.0.1:1", STORAGE_TAKES_DIRECT_UPLOADS="false")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    [wrong] = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert "FAIRGROUND_STORAGE_CDN_URL does not give what is stored" in wrong
    assert "uploads pass through this server" in outcome.out


def test_what_a_server_refuses_is_told_without_the_secret(on_server: CommandLine) -> None:
    on_server.set(STORAGE_SECRET_ACCESS_KEY="hidden")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    assert "SignatureDoesNotMatch" in outcome.out
    assert "hidden" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"STORAGE_URL": "ftp://host/hidden"}, "names no folder and no bucket"),
        ({"STORAGE_URL": "file://host/folder"}, "names no folder and no bucket"),
        ({"STORAGE_URL": "file:"}, "names no folder and no bucket"),
        ({"STORAGE_URL": "s3://bucket"}, "is unset"),
        (
            {"STORAGE_URL": "s3://a:hidden@bucket", "STORAGE_ACCESS_KEY_ID": "a", "STORAGE_SECRET_ACCESS_KEY": "b"},
            "it holds a user or a password",
        ),
        ({"STORAGE_CDN_URL": "cdn.example"}, "FAIRGROUND_STORAGE_CDN_URL is 'cdn.example'; it must be http"),
    ],
)
def test_settings_that_cannot_be_used_are_told_in_one_sentence(
    cli: CommandLine, settings: dict[str, str], told: str
) -> None:
    cli.set(**settings)
    for command in ("check", "orphans"):
        refusal = cli("storage", command).refusal
        assert told in refusal
        assert "hidden" not in refusal

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from tests.entrypoints.cli.conftest import CommandLine
from tests.support.databases import copy_of
from tests.support.storage import Bucket, folder_store, fresh_bucket
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


@pytest.fixture
def bucket(cli: CommandLine, s3_server: Server) -> Iterator[Bucket]:
    """Give a bucket with no other user, which the settings name."""
    with fresh_bucket(s3_server, prefix="fair") as bucket:
        cli.set(STORAGE_URL=bucket.url, STORAGE_ACCESS_KEY_ID=KEY_ID, STORAGE_SECRET_ACCESS_KEY=SECRET)
        yield bucket


def test_orphans_are_listed_and_then_removed(migrated: CommandLine, tmp_path: Path) -> None:
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


def test_check_of_a_folder_passes(cli: CommandLine, tmp_path: Path) -> None:
    cli.set(STORAGE_URL=f"file:{tmp_path}/shared%20media")
    outcome = cli("storage", "check")
    assert (outcome.code, outcome.err) == (0, "")
    assert {line.split()[0] for line in outcome.out.splitlines()} == {"ok"}
    assert [path.name for path in tmp_path.rglob("*.png")] == []
    assert (tmp_path / "shared media").is_dir()


def test_check_names_an_unusable_folder(cli: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cli.set(STORAGE_URL=f"file:{tmp_path}/file")
    outcome = cli("storage", "check")
    assert outcome.code == 1
    assert outcome.out.startswith("wrong ")
    assert f"{tmp_path}/file" in outcome.out


def test_check_of_a_server_uploads_as_a_browser_does(on_server: CommandLine) -> None:
    outcome = on_server("storage", "check")
    assert (outcome.code, outcome.err) == (0, "")
    assert "browsers can upload directly to the store" in outcome.out
    assert "pages of http://127.0.0.1:8000 may upload to the store" in outcome.out
    assert {line.split()[0] for line in outcome.out.splitlines()} == {"ok"}


def test_check_fails_if_the_bucket_refuses_our_origin(on_server: CommandLine) -> None:
    on_server.set(PUBLIC_URL="https://other.example")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    [wrong] = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert 'AllowedOrigins ["https://other.example"] and AllowedMethods ["POST"]' in wrong


def test_check_fails_if_the_cdn_does_not_serve_the_object(on_server: CommandLine) -> None:
    on_server.set(STORAGE_CDN_URL="http://127.0.0.1:1", STORAGE_TAKES_DIRECT_UPLOADS="false")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    [wrong] = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
    assert "FAIRGROUND_STORAGE_CDN_URL does not serve the stored files" in wrong
    assert "uploads go through this server" in outcome.out


def test_check_reports_a_refusal_without_the_secret(on_server: CommandLine) -> None:
    on_server.set(STORAGE_SECRET_ACCESS_KEY="hidden")
    outcome = on_server("storage", "check")
    assert outcome.code == 1
    assert "SignatureDoesNotMatch" in outcome.out
    assert "hidden" not in outcome.out + outcome.err


def test_lifecycle_adds_changes_and_removes_the_cold_rule(cli: CommandLine, bucket: Bucket) -> None:
    bare = cli("storage", "lifecycle")
    assert (bare.code, bare.err) == (0, "")
    assert bare.out.splitlines()[0] == "ok       fair/original/: no rule removes or moves objects"
    added = cli("storage", "lifecycle", "--cold-after-days", "45")
    assert added.out.splitlines()[-1] == "ok       originals move to STANDARD_IA after 45 days"
    cli("storage", "lifecycle", "--cold-after-days", "60", "--storage-class", "ONEZONE_IA")
    [rule] = bucket.rules()
    assert rule["ID"] == "fairground-cold-originals"
    assert rule["Filter"] == {"Prefix": "fair/original/"}
    assert rule["Transitions"] == [{"Days": 60, "StorageClass": "ONEZONE_IA"}]
    assert cli("storage", "lifecycle", "--remove").out == bare.out


def test_expiring_rule_fails_lifecycle_and_check(cli: CommandLine, bucket: Bucket) -> None:
    bucket.set_rules({"ID": "tidy", "Filter": {"Prefix": "fair/original/"}, "Expiration": {"Days": 90}})
    for command in ("lifecycle", "check"):
        outcome = cli("storage", command)
        assert outcome.code == 1
        [wrong] = [line for line in outcome.out.splitlines() if line.startswith("wrong")]
        assert 'fair/original/: the rule "tidy" removes objects after 90 days' in wrong


@pytest.mark.usefixtures("bucket")
def test_days_that_the_store_refuses_are_reported_in_one_sentence(cli: CommandLine) -> None:
    refusal = cli("storage", "lifecycle", "--cold-after-days", "29").refusal
    assert "400 InvalidArgument" in refusal
    assert "at least 30 days" in refusal


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--cold-after-days", "30", "--remove"], "not both"),
        (["--storage-class", "STANDARD_IA"], "--storage-class needs --cold-after-days"),
        (["--storage-class", "GLACIER", "--cold-after-days", "30"], "GLACIER_IR"),
        (["--cold-after-days", "0"], "greater than or equal to 1"),
        (["--cold-after-days", "3651"], "less than or equal to 3650"),
        ([], "Files are stored in a folder"),
        (["--cold-after-days", "30"], "Files are stored in a folder"),
    ],
)
def test_unusable_lifecycle_options_are_reported_in_one_sentence(
    cli: CommandLine, options: list[str], text: str
) -> None:
    assert text in cli("storage", "lifecycle", *options).refusal


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"STORAGE_URL": "ftp://host/hidden"}, "has no folder or bucket"),
        ({"STORAGE_URL": "file://host/folder"}, "has no folder or bucket"),
        ({"STORAGE_URL": "file:"}, "has no folder or bucket"),
        ({"STORAGE_URL": "s3://bucket"}, "is missing"),
        (
            {"STORAGE_URL": "s3://a:hidden@bucket", "STORAGE_ACCESS_KEY_ID": "a", "STORAGE_SECRET_ACCESS_KEY": "b"},
            "it contains a user name or password",
        ),
        ({"STORAGE_CDN_URL": "cdn.example"}, "FAIRGROUND_STORAGE_CDN_URL is 'cdn.example'; it must be http"),
    ],
)
def test_unusable_settings_are_reported_in_one_sentence(cli: CommandLine, settings: dict[str, str], text: str) -> None:
    cli.set(**settings)
    for command in ("check", "lifecycle", "orphans"):
        refusal = cli("storage", command).refusal
        assert text in refusal
        assert "hidden" not in refusal

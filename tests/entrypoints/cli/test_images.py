"""Pictures as operators see them, beside a server that shows some."""

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.entrypoints.cli.conftest import CommandLine
from tests.support.databases import copy_of
from tests.support.embedded import ROWS
from tests.support.servers import Installation, ServerProcess
from tests.support.waiting import wait_until

PASSWORD = "four good words ok"
MAP = """
source = "old-system"
currency = "EUR"
[fields]
external_id = { column = "id" }
business_name = { column = "name" }
location = { value = "Oslo" }
categories = { value = "pianist" }
profile_picture = { column = "profile_picture_url" }
portfolio_pictures = { column = "portfolio_image_urls" }
service_pictures = { column = "media_url" }
"""


@pytest.fixture
def server(sqlite_template: Path, tmp_path: Path) -> Iterator[ServerProcess]:
    installation = Installation(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path)
    with installation.serving() as started:
        yield started


@pytest.fixture
def beside(cli: CommandLine, tmp_path: Path) -> CommandLine:
    cli.set(DATABASE_URL=f"sqlite:///{tmp_path}/fairground.db", DATA_DIR=str(tmp_path))
    return cli


def bring_in(beside: CommandLine, folder: Path) -> None:
    (folder / "map.toml").write_text(MAP)
    (folder / "rows.json").write_text(json.dumps(ROWS))
    words = ["--vertical", "artists", "--map", str(folder / "map.toml")]
    outcome = beside("import", "providers", str(folder / "rows.json"), *words)
    assert (outcome.code, outcome.err) == (0, "")
    assert "7 embedded pictures are waiting" in outcome.out


def make_files(beside: CommandLine, server: ServerProcess) -> None:
    beside("users", "create", "--role", "admin", "--email", "s@example.org", "--password-stdin", stdin=f"{PASSWORD}\n")
    with httpx.Client(base_url=f"{server.url}/api/v1") as staff:
        token = staff.post("/auth/login?mode=token", json={"email": "s@example.org", "password": PASSWORD})
        staff.headers["authorization"] = f"Bearer {token.json()['token']}"
        for what in ("profile-images", "service-media"):
            place = server.url + staff.post(f"/ops/migrate-{what}-to-files").headers["location"]
            wait_until(partial(has_ended, staff, place))


def has_ended(staff: httpx.Client, place: str) -> bool:
    return staff.get(place).json()["finished_at"] is not None


def ask(folder: Path, statement: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(folder / "fairground.db")) as database:
        rows = database.execute(statement).fetchall()
        database.commit()
    return rows


def lines_of(beside: CommandLine, *, code: int) -> dict[str, list[str]]:
    outcome = beside("images", "doctor")
    assert (outcome.code, outcome.err) == (code, "")
    lines: dict[str, list[str]] = {}
    for line in outcome.out.splitlines():
        verdict, _, words = line.partition(" ")
        lines.setdefault(verdict, []).append(words.strip())
    return lines


def break_everything(folder: Path) -> None:
    shutil.rmtree(folder / "media" / "original")
    shutil.rmtree(folder / "media" / "derivative")
    ask(folder, "DELETE FROM media_rendition WHERE original_digest = (SELECT max(digest) FROM media_original)")
    # Ids begin with the time, and none of ours with an f.
    ask(folder, "UPDATE providers_gallery SET picture_id = 'f' || substr(picture_id, 2) WHERE position = 0")
    ask(folder, "DROP TRIGGER ck_providers_provider__profile_picture_url_on_update")
    ask(folder, "UPDATE providers_provider SET profile_picture_url = 'data:,x' WHERE slug = 'eve'")


def test_doctor_reports_and_warm_renders_pictures(beside: CommandLine, server: ServerProcess, tmp_path: Path) -> None:
    bring_in(beside, tmp_path)
    results = lines_of(beside, code=0)
    assert any("7 imported pictures are waiting" in line for line in results["warning"])
    assert "jpeg, webp, avif" in results["ok"][0]
    make_files(beside, server)

    warmed = beside("images", "warm", "--top", "5", "--url", server.url)
    assert (warmed.code, warmed.err) == (0, "")
    *lines, summary = warmed.out.splitlines()
    paths = [line.split()[-1] for line in lines]
    assert summary == f"{len(lines)} responses, 0 failed."
    assert len(set(paths)) == len(paths)
    squares = [path for path in paths if "/img/avatar/" in path]
    assert squares
    assert len(squares) < len(paths)
    # Later requests use the renditions of the first one.
    made = ask(tmp_path, "SELECT count(*) FROM media_rendition WHERE recipe LIKE '%-square-%.avif'")
    for path in squares:
        httpx.get(server.url + path, headers={"accept": "image/avif"}).raise_for_status()
    assert ask(tmp_path, "SELECT count(*) FROM media_rendition WHERE recipe LIKE '%-square-%.avif'") == made != [(0,)]

    results = lines_of(beside, code=0)
    assert "Pictures: 4 ready." in results["ok"]
    assert {line.split(":")[0] for line in results["warning"]} == {
        "1 imported pictures can't be shown (images.broken). Fix them at the source and import them again.",
        "2 imported pictures can't be shown (images.type_refused). Fix them at the source and import them again.",
    }

    break_everything(tmp_path)
    results = lines_of(beside, code=1)
    assert [line.split()[0] for line in results["wrong"]] == ["1", "1", "4"]
    assert [line.split(" ", 1)[1][:26].rstrip() for line in results["warning"][-2:]] == [
        "originals have no rendered",
        "sizes are missing from sto",
    ]


def test_a_server_that_is_not_there_cannot_be_warmed(cli: CommandLine) -> None:
    refusal = cli("images", "warm", "--url", "http://127.0.0.1:1").refusal
    assert refusal.startswith("No server answers at http://127.0.0.1:1")

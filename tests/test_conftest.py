import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import func, select

from fairground.kernel.ids import uuid7
from fairground.platform.db.common.tables import IdempotencyRow
from fairground.platform.db.database import Database
from tests.conftest import BOTH_DATABASES, ROOT, dialects_of
from tests.support.chromium import find_chromium, refuse_without_required_browser
from tests.support.proofs import Dose


async def test_an_async_test_runs_on_the_loop_of_the_program() -> None:
    import asyncio

    assert type(asyncio.get_running_loop()).__module__.startswith("uvloop")


def test_database_url_names_a_database_without_tables(database_url: str, dialect: str) -> None:
    if dialect == "sqlite":
        assert not Path(database_url.removeprefix("sqlite:///")).exists()
        return
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("file", "names"),
    [
        ("tests/modules/booking/service/test_holds.py", ("sqlite", "postgres")),
        ("tests/platform/db/test_database.py", ("sqlite", "postgres")),
        ("tests/web/test_journeys.py", ("sqlite", "postgres")),
        ("tests/proofs/test_booking_race.py", ("sqlite", "postgres")),
        ("tests/web/pages/test_search.py", ("sqlite",)),
        ("tests/modules/accounts/test_http.py", ("sqlite",)),
    ],
)
def test_tests_above_a_store_run_on_one_database(file: str, names: tuple[str, ...]) -> None:
    assert dialects_of(ROOT / file) == names


@pytest.mark.parametrize("pattern", BOTH_DATABASES)
def test_pattern_of_files_on_both_databases_matches_a_file(pattern: str) -> None:
    assert list(ROOT.glob(pattern)), "A renamed file would silently run on one database."


def test_a_dose_is_one_of_the_two_amounts(dose: Dose) -> None:
    assert dose(small=3, full=50) == (50 if dose.is_full else 3)


@pytest.mark.parametrize("turn", ["first", "second"])
async def test_a_database_is_empty_whatever_the_test_before_committed(db: Database, turn: str) -> None:
    count = select(func.count()).select_from(IdempotencyRow)
    async with db.write() as tx:
        assert await tx.scalar(count) == 0
        row = {"actor_id": uuid7(), "key": turn, "request_hash": "", "claim_id": uuid7(), "state": "started"}
        await tx.insert_ignore(IdempotencyRow, [{**row, "started_at": datetime.now(UTC)}])
    async with db.read() as tx:
        assert await tx.scalar(count) == 1


@pytest.fixture
def no_chromium(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("FAIRGROUND_TEST_CHROMIUM", raising=False)
    monkeypatch.delenv("FAIRGROUND_TEST_BROWSER", raising=False)


@pytest.mark.usefixtures("no_chromium")
def test_run_that_requires_missing_browser_fails_before_its_first_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_TEST_BROWSER", "required")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", __file__],
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == pytest.ExitCode.USAGE_ERROR
    [sentence] = run.stderr.strip().splitlines()
    assert "there is no Chromium: install the package chromium" in sentence


@pytest.mark.usefixtures("no_chromium")
def test_browser_test_is_skipped_where_browser_is_missing_and_not_required() -> None:
    refuse_without_required_browser()
    with pytest.raises(pytest.skip.Exception, match="NOT RUN: there is no Chromium"):
        find_chromium()


def test_unknown_browser_requirement_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_TEST_BROWSER", "requierd")
    with pytest.raises(pytest.UsageError, match="is 'requierd'; set it to required"):
        refuse_without_required_browser()

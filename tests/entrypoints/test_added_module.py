"""A module joins the program by one line, its name in the list of modules, with all that a module can bring."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from fairground.entrypoints.cli.demo import build_demo
from fairground.entrypoints.cli.secondary import checks_of, run_checks
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.server import metrics_of
from fairground.entrypoints.settings import MODULES, Settings
from fairground.platform.db.schema import check_schema, upgrade_schema
from fairground.platform.http.app import list_routes
from tests.support.greetings.settings import GreetingsSettings
from tests.support.waiting import until

ADDED = [*MODULES, "tests.support.greetings"]


@pytest.fixture
async def program(database_url: str, tmp_path: Path) -> AsyncIterator[Program]:
    settings = Settings.model_validate({"database_url": database_url, "data_dir": tmp_path})
    program = compose(settings, modules=ADDED)
    upgrade_schema(program.db.backend, program.histories)
    async with program.running():
        yield program


def a_client(program: Program) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(program.build_app()), base_url=program.settings.address, follow_redirects=True
    )


async def test_its_tables_routes_pages_and_schedule_are_there(program: Program) -> None:
    # In a thread: on a file it waits for the write transaction that the worker of this loop may hold.
    found = await asyncio.to_thread(check_schema, program.db.backend, program.histories)
    assert {check.module: check.state for check in found}["greetings"] == "current"
    async with a_client(program) as client:

        async def greeted() -> bool:
            return "Hello, World" in (await client.get("/api/v1/greetings")).text

        await until(greeted)
        assert (await client.get("/greetings")).text == "Hello, World"


async def test_its_metrics_and_checks_are_shown(program: Program, capsys: pytest.CaptureFixture[str]) -> None:
    assert "fairground_greetings" in {metric.name for metric in metrics_of(program).collect()}
    assert await run_checks(checks_of(program.modules, "greetings"))
    assert "greetings." in capsys.readouterr().out


async def test_its_part_of_the_demo_is_built(program: Program) -> None:
    await build_demo(program, seed=1, provider_count=3)
    async with a_client(program) as client:

        async def greeted() -> bool:
            return "Hello, 3 providers" in (await client.get("/api/v1/greetings")).text

        await until(greeted)


def test_without_its_line_there_is_no_trace_of_it(tmp_path: Path) -> None:
    program = compose(Settings(data_dir=tmp_path), is_secondary=True)
    assert "greetings" not in {module.name for module in program.modules}
    assert not {path for path, _ in list_routes(program.api, program.pages) if "greetings" in path}


def test_its_settings_are_read_under_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_GREETINGS_WORD", "Good day")
    program = compose(Settings(data_dir=tmp_path), is_secondary=True, modules=ADDED)
    assert program.runtime.settings.of(GreetingsSettings).word == "Good day"

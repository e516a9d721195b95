"""Fixtures that every part uses: databases that commit for real, doses and figures of the proofs, real data.

| fixture | gives |
|---|---|
| `db` | a `Database` with every module's tables and no rows, once on each dialect; `outbox` has its events and jobs |
| `migrated_url` | the address of such a database, for server processes |
| `database_url` | the address of a database without tables, once on each dialect |
| `redis_server` | the address of a Redis or Valkey that many tests share |
| `s3_server` | the address of an S3 server that many tests share |
| `patience` | longer waits at a small dose, for rushes within this process |
| `dose` | `dose(small=3, full=50)`: how much of a proof to run |
| `figure` | `figure("rounds per second", 41.5, "1/s")`: a measured number for the report |
| `real_data` | the folder of real data beside the checkout; without it the test is reported as not run |
"""

import gc
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

import hypothesis
import pytest

from fairground.platform.db.database import Database
from fairground.platform.db.dialect import base, postgres_transactions
from tests.support.chromium import refuse_without_required_browser
from tests.support.compiling import compile_statements_once
from tests.support.databases import copy_of, migrate
from tests.support.hashing import hash_passwords_cheaply
from tests.support.logs import tell_errors_as_the_program_does
from tests.support.outbox import RecordingOutbox
from tests.support.postgres import Emptier, fresh_database
from tests.support.proofs import Dose, Figure, write_figures
from tests.support.shared_servers import NO_SERVER, SharedServer, shared_servers
from tests.support.templates import compile_templates_once
from tools.guardian import Server

# A machine that is shared makes any example slow once in a while, and that is no fault of what is tested.
hypothesis.settings.register_profile("fairground", deadline=None)
hypothesis.settings.load_profile("fairground")

ROOT: Final = Path(__file__).resolve().parent.parent
DIALECTS: Final = ("sqlite", "postgres")
# Above a store the database makes no difference: these run on one. Services run on both, for stores are mostly
# tested through them, and so do journeys and what depends on transactions.
ONE_DATABASE: Final = (
    "tests/docs/*",
    "tests/entrypoints/cli/*",
    "tests/modules/*/http/*",
    "tests/modules/*/test_authenticator.py",
    "tests/modules/*/test_http.py",
    "tests/modules/*/test_module.py",
    "tests/modules/*/test_wiring.py",
    "tests/modules/notifications/*",
    "tests/ops/*",
    "tests/platform/http/*",
    "tests/platform/test_logs.py",
    "tests/platform/test_metrics.py",
    "tests/web/*",
)
BOTH_DATABASES: Final = (
    "tests/entrypoints/cli/test_data.py",
    "tests/entrypoints/cli/test_demo.py",
    "tests/entrypoints/cli/test_exports.py",
    "tests/modules/notifications/test_message_notifier.py",
    "tests/ops/imports/test_run.py",
    "tests/platform/http/test_app.py",
    "tests/platform/http/test_idempotency*.py",
    "tests/platform/http/test_routing.py",
    "tests/web/test_journeys.py",
)
"""Exceptions from the list before: journeys, and tests whose subject is SQL."""
SERVERS: Final = pytest.StashKey[dict[str, SharedServer]]()
FIGURES: Final = pytest.StashKey[list[Figure]]()
# Each composed program is some 100,000 objects, and the collector would look through all that exist at every one. Half
# a million may wait for it, which is about 100 MB.
GARBAGE_THRESHOLDS: Final = (5_000, 10, 10)


def pytest_configure(config: pytest.Config) -> None:
    refuse_without_required_browser()
    compile_templates_once()
    compile_statements_once()
    hash_passwords_cheaply()
    tell_errors_as_the_program_does()
    config.stash[SERVERS] = shared_servers(getattr(config, "workerinput", {}).get("servers", {}))
    config.stash[FIGURES] = []


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the controller's one server of each kind to each worker before it starts."""
    try:
        servers = {name: shared.get() for name, shared in node.config.stash[SERVERS].items()}
    except NO_SERVER as error:
        pytest.exit(str(error), returncode=pytest.ExitCode.USAGE_ERROR)
    node.workerinput["servers"] = {name: (server.url, server.description) for name, server in servers.items()}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    # What is loaded now stays, so there is nothing to collect meanwhile.
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish(session: pytest.Session) -> None:
    # What is loaded by now stays: the collector, who would look through it again and again, takes it as given.
    gc.collect()
    gc.freeze()
    if not any(map(_measures, session.items)):
        gc.set_threshold(*GARBAGE_THRESHOLDS)


def _measures(item: pytest.Item) -> bool:
    """Return whether the test may record a figure, which needs the collector as the program has it."""
    return "proof" in item.keywords or item.path.is_relative_to(ROOT / "benchmarks")


def pytest_unconfigure(config: pytest.Config) -> None:
    for server in config.stash.get(SERVERS, {}).values():
        server.stop()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """Run every `async def` test on the loop that the program runs on."""
    return "asyncio", {"use_uvloop": True}


def dialects_of(file: Path) -> tuple[str, ...]:
    """Return the databases that the tests of a file run on."""
    name = file.relative_to(ROOT).as_posix()
    is_above = any(fnmatch(name, pattern) for pattern in ONE_DATABASE)
    has_sql = any(fnmatch(name, pattern) for pattern in BOTH_DATABASES)
    return DIALECTS[:1] if is_above and not has_sql else DIALECTS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    # A file or a test may ask for one database by itself.
    if "dialect" in metafunc.fixturenames and not _is_parametrized(metafunc.definition, "dialect"):
        metafunc.parametrize("dialect", dialects_of(metafunc.definition.path), indirect=True)


def _is_parametrized(item: pytest.Item, name: str) -> bool:
    return any(name in str(mark.args[0]) for mark in item.iter_markers("parametrize"))


@pytest.fixture
def dialect(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def postgres_server(request: pytest.FixtureRequest) -> Server:
    return request.config.stash[SERVERS]["PostgreSQL"].get()


@pytest.fixture
def database_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the URL of a database that holds nothing yet, not even tables."""
    if dialect == "sqlite":
        yield f"sqlite:///{tmp_path / 'fairground.db'}"
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as url:
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one SQLite file, to be copied for each test."""
    file = tmp_path_factory.mktemp("template") / "fairground.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_database(postgres_server: Server) -> Iterator[str]:
    """Migrate one database for this worker, to be emptied for each test."""
    with fresh_database(postgres_server) as url:
        migrate(url)
        yield url


@pytest.fixture(scope="session")
def postgres_emptier(postgres_database: str) -> Iterator[Emptier]:
    emptier = Emptier(postgres_database)
    yield emptier
    emptier.close()


@pytest.fixture
def migrated_url(dialect: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """Give the URL of a database that has every table and no rows."""
    if dialect == "sqlite":
        return copy_of(request.getfixturevalue("sqlite_template"), tmp_path)
    emptier: Emptier = request.getfixturevalue("postgres_emptier")
    emptier.empty()
    return emptier.url


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch, dose: Dose) -> None:
    """Let a caller in a rush wait for as long as it takes, for at a small dose the machine has other tests to run.

    The full dose is taken within the limits of an installation, where the last in line must not wait longer either.
    """
    if not dose.is_full:
        monkeypatch.setattr(postgres_transactions, "BEGIN_WRITE", "BEGIN; SET LOCAL lock_timeout = '60s'")
        monkeypatch.setattr(postgres_transactions, "BEGIN_READ", "BEGIN READ ONLY; SET LOCAL lock_timeout = '60s'")
        monkeypatch.setattr(postgres_transactions, "READ_ONCE", "SET TRANSACTION READ ONLY")
        monkeypatch.setattr(base, "CONNECTION_WAIT_SECONDS", 60)


@pytest.fixture
def outbox() -> RecordingOutbox:
    return RecordingOutbox()


@pytest.fixture
async def db(migrated_url: str, outbox: RecordingOutbox) -> AsyncIterator[Database]:
    database = Database(migrated_url, outbox=outbox)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def redis_server(request: pytest.FixtureRequest) -> Server:
    """Give the one that every test shares; names keep them apart (`tests.support.redis`)."""
    return request.config.stash[SERVERS]["Redis"].get()


@pytest.fixture(scope="session")
def s3_server(request: pytest.FixtureRequest) -> Server:
    """Give the one that every test shares, with one bucket; prefixes keep them apart (`tests.support.storage`)."""
    return request.config.stash[SERVERS]["S3"].get()


@pytest.fixture(scope="session")
def dose() -> Dose:
    return Dose()


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[[str, float, str], None]:
    """Record a measured number; it is printed at the end of the run and kept in var/proof."""

    def record(name: str, value: float, unit: str) -> None:
        request.node.user_properties.append(("figure", [request.node.nodeid, name, value, unit]))

    return record


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Give the folder of real data, which is too large for the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"NOT RUN: the real data is not at {folder}")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything below tests/proofs, so that `-m proof` finds it."""
    for item in items:
        if item.path.is_relative_to(ROOT / "tests" / "proofs"):
            item.add_marker(pytest.mark.proof)


class FigureCollector:
    """Gathers what the tests measured, also from the worker processes."""

    def __init__(self, figures: list[Figure]) -> None:
        self._figures = figures

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._figures += [Figure(*value) for key, value in report.user_properties if key == "figure"]  # type: ignore[misc]


def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.pluginmanager.register(FigureCollector(session.config.stash[FIGURES]))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    figures = config.stash[FIGURES]
    servers = {
        name: description for name, shared in config.stash[SERVERS].items() if (description := shared.described())
    }
    for name, description in servers.items():
        terminalreporter.write_line(f"{name} tests ran on {description}.")
    if figures:
        path = write_figures(ROOT / "var" / "proof", figures, servers=servers)
        terminalreporter.section("measured")
        terminalreporter.write_line(path.read_text())

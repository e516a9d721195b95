"""A server process, as an operator starts and stops it, and the commands that run beside it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx
import pytest
from sqlalchemy import select

from fairground.entrypoints.server import AddressError, bind_socket
from fairground.entrypoints.settings import Settings
from fairground.modules.accounts.tables import UserRow
from fairground.platform.db.dialect import open_backend
from tests.support.servers import Installation

SOURCE: Final = Path(__file__).resolve().parents[2] / "src"
COMMAND: Final = [sys.executable, "-c", "from fairground.entrypoints.cli import main; main()"]
START_SECONDS: Final = 60  # far more than a start takes; a loaded machine must not fail the test


def environment(folder: Path, **settings: str) -> dict[str, str]:
    own = {f"FAIRGROUND_{name}": value for name, value in settings.items()}
    return os.environ | {"PYTHONPATH": str(SOURCE), "FAIRGROUND_DATA_DIR": str(folder)} | own


def fairground(*arguments: str, env: dict[str, str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=env, input=stdin, capture_output=True, text=True, check=False, timeout=START_SECONDS
    )


@contextmanager
def running(command: str, env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, subprocess.Popen([*COMMAND, command], env=env, stderr=output) as process:
        try:
            yield process
        finally:
            process.kill()


def address_in(log: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("Fairground is at "):
                return line.split()[3]
        time.sleep(0.05)
    raise AssertionError(log.read_text())


@pytest.mark.timeout(400)  # several programs start one after the other
def test_commands_work_beside_a_server_which_ends_at_a_signal(migrated_url: str, tmp_path: Path) -> None:
    env = environment(tmp_path, DATABASE_URL=migrated_url, HTTP_PORT="0", METRICS_PORT="0")
    log = tmp_path / "log"
    with running("serve", env, log) as server:
        address = address_in(log, server)
        assert httpx.get(f"{address}/readyz").status_code == 200
        created = fairground(
            *("users", "create", "--role", "customer", "--email", "kim@example.org", "--password-stdin"),
            env=env,
            stdin="seven quiet lanterns\n",
        )
        assert created.returncode == 0, created.stderr
        signed_in = httpx.post(
            f"{address}/api/v1/auth/login?mode=token",
            json={"email": "kim@example.org", "password": "seven quiet lanterns"},
        )
        assert signed_in.status_code == 200, signed_in.text
        beside = Installation(database_url=migrated_url, data_dir=tmp_path)
        for command in (["db", "check"], ["db", "upgrade"], ["jobs", "list"]):
            ended = beside.run(*command)
            assert ended.exit_code == 0, ended.output
        assert 'route="/api/v1/auth/login",status="200"} 1.0' in metrics_of(log)
        assert httpx.get(f"{address}/metrics").status_code == 404
        assert stored_hash(migrated_url).startswith("$argon2id$v=19$m=19456,t=2,p=1$")
        taken = {"FAIRGROUND_HTTP_PORT": address.rpartition(":")[2]}
        second = Installation(database_url=migrated_url, data_dir=tmp_path, **taken).run("serve")
        assert second.exit_code == 2
        assert second.output.startswith("fairground: Port ")
        server.send_signal(signal.SIGTERM)
        assert server.wait(START_SECONDS) == 0
    assert "Traceback" not in log.read_text()


def stored_hash(url: str) -> str:
    """Return the hash of the only user's password: its cost is chosen by the program, which our own process changes."""
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    with engine.connect() as connection:
        found: str = connection.execute(select(UserRow.password_hash)).scalar_one()
    engine.dispose()
    return found


def metrics_of(log: Path) -> str:
    shown = next(json.loads(line) for line in log.read_text().splitlines() if "metrics.shown" in line)
    return httpx.get(shown["address"]).text


@contextmanager
def taken_port() -> Iterator[str]:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield str(taken.getsockname()[1])


def test_taken_metrics_port_is_refused_with_a_hint(sqlite_template: Path, tmp_path: Path) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "fairground.db")
    with taken_port() as port:
        installation = Installation(database_url=f"sqlite:///{file}", data_dir=tmp_path, FAIRGROUND_METRICS_PORT=port)
        refused = installation.run("worker")
    assert refused.exit_code == 2
    assert f"Can't serve metrics at 127.0.0.1:{port}" in refused.output
    assert "FAIRGROUND_METRICS_PORT" in refused.output


def test_taken_metrics_port_is_refused_before_a_demo_is_built(tmp_path: Path) -> None:
    with taken_port() as port:
        refused = fairground("up", env=environment(tmp_path, HTTP_PORT="0", METRICS_PORT=port))
    assert refused.returncode == 2
    assert refused.stderr.startswith(f"fairground: Can't serve metrics at 127.0.0.1:{port}")
    assert not list(tmp_path.iterdir())


def test_optional_libraries_are_not_loaded() -> None:
    unwanted = {"redis", "prometheus_client", "fairground.platform.storage.s3", "fairground.ops.demo.plan"}
    look = f"import sys, fairground.entrypoints.cli.server; print({unwanted} & {{*sys.modules}})"
    env = os.environ | {"PYTHONPATH": str(SOURCE)}
    assert subprocess.check_output([sys.executable, "-c", look], env=env, text=True) == "set()\n"


def test_commands_run_without_rich_which_is_importable_afterwards(tmp_path: Path) -> None:
    look = (
        "import atexit, sys; from fairground.entrypoints.cli import main;"
        " atexit.register(lambda: print({'pygments', 'rich'} & {*sys.modules}, __import__('rich').__name__));"
        " main(['routes'])"
    )
    shown = subprocess.check_output([sys.executable, "-c", look], env=environment(tmp_path), text=True)
    assert shown.splitlines()[-1] == "set() rich"
    assert "GET        /" in shown


def test_a_second_server_on_a_database_file_is_refused(sqlite_template: Path, tmp_path: Path) -> None:
    file = shutil.copy(sqlite_template, tmp_path / "fairground.db")
    installation = Installation(database_url=f"sqlite:///{file}", data_dir=tmp_path)
    with installation.serving():
        for command in ("serve", "worker"):
            second = installation.run(command)
            assert second.exit_code == 2, command
            assert second.output.startswith("fairground: Another fairground server is using ")
            assert "FAIRGROUND_DATABASE_URL=postgresql://" in second.output


def test_sandbox_money_at_a_public_address_is_refused_before_any_file_is_created(tmp_path: Path) -> None:
    env = environment(tmp_path, PUBLIC_URL="https://fair.example", HTTP_PORT="0")
    refused = fairground("up", env=env)
    assert refused.returncode == 2
    assert refused.stderr.startswith(
        "fairground: Payments run in the sandbox, and others can reach https://fair.example"
    )
    assert "FAIRGROUND_ALLOW=sandbox-money" in refused.stderr
    assert not list(tmp_path.iterdir())


def test_up_at_a_public_address_starts_without_a_demo_and_names_the_command_for_an_account(tmp_path: Path) -> None:
    env = environment(tmp_path, PUBLIC_URL="https://fair.example", HTTP_PORT="0", ALLOW="sandbox-money")
    log = tmp_path / "log"
    with running("up", env, log) as server:
        address_in(log, server)
        beside = Installation(database_url=f"sqlite:///{tmp_path / 'fairground.db'}", data_dir=tmp_path)
        listed = beside.run("users", "list")
        server.send_signal(signal.SIGINT)
        assert server.wait(START_SECONDS) == 0
    assert "Skipping the demo" in log.read_text()
    assert "fairground users create --role admin" in log.read_text()
    assert (listed.exit_code, listed.output) == (0, "")


def test_a_taken_port_is_named_with_another_one() -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(AddressError, match=f"Port {port} is already in use. .* FAIRGROUND_HTTP_PORT={port + 1}"):
            bind_socket(Settings(http_port=port))


def test_an_address_of_another_machine_is_refused() -> None:
    # 192.0.2.0/24 is kept for documentation (RFC 5737), so no machine has it.
    with pytest.raises(AddressError, match="Set FAIRGROUND_HTTP_HOST to an address of this machine"):
        bind_socket(Settings(http_host="192.0.2.7", http_port=0))


@pytest.fixture
def heard_interrupts() -> Iterator[None]:
    """Let started programs receive Ctrl-C: a shell makes the tests ignore it when they run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heard_interrupts")
def test_a_first_start_that_is_interrupted_leaves_no_half_demo_and_no_traceback(tmp_path: Path) -> None:
    log, env = tmp_path / "log", environment(tmp_path / "var", HTTP_PORT="0")
    with (
        log.open("wb") as output,
        subprocess.Popen([*COMMAND, "up"], env=env, stderr=output, start_new_session=True) as first,
    ):
        deadline = time.monotonic() + START_SECONDS
        while "Building the demo" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        # As a terminal does it: the whole process group hears of Ctrl-C.
        os.killpg(first.pid, signal.SIGINT)
        try:
            assert first.wait(START_SECONDS) == 130
        finally:
            with suppress(ProcessLookupError):
                os.killpg(first.pid, signal.SIGKILL)
    assert "Traceback" not in log.read_text()
    assert not (tmp_path / "var" / "fairground.db").exists()


@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupt_in_the_moment_of_the_fork_is_heard(tmp_path: Path) -> None:
    interrupt = "os.register_at_fork(before=lambda: os.kill(os.getpid(), signal.SIGINT))"
    program = f"import os, signal; from fairground.entrypoints.cli import main; {interrupt}; main(['up'])"
    env = environment(tmp_path / "var", HTTP_PORT="0")
    command = [sys.executable, "-c", program]
    first = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=START_SECONDS)
    assert first.returncode == 130
    assert "Traceback" not in first.stderr
    assert not (tmp_path / "var" / "fairground.db").exists()

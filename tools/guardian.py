"""Servers of the tests, each with a guardian that ends it and removes its folder when the starting process dies."""

import socket
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

STOP_SECONDS: Final = 60

# The guardian ends with the server, and ends the server when its own standard input closes: that happens when the
# starting process stops or dies, even by `kill -9`. After a crash of the server the folder stays, for its log.
_GUARDIAN: Final = """
exec 3<&0; folder=$1; signal=$2; shift 2
"$@" 3<&- & server=$!
{ read -r _ <&3; : >"$folder/unwanted"; kill -"$signal" $server; } 2>/dev/null & reader=$!
wait $server
kill $reader 2>/dev/null
[ ! -e "$folder/unwanted" ] || rm -rf "$folder"
"""


@dataclass(frozen=True)
class Server:
    url: str
    """Its address; for PostgreSQL that of its maintenance database, as `postgresql://user@host:port/postgres`."""
    description: str
    """Name, version and source, in words for a person."""


def launch(server: Sequence[str], *, folder: Path, ends_by: str) -> subprocess.Popen[bytes]:
    """Start a server in its folder, where `log` gets what it prints, and return its guardian.

    Args:
        folder: Removed when the server has ended.
        ends_by: The signal that ends the server at once, such as "QUIT".
    """
    with (folder / "log").open("ab") as log:
        # Its own session: Ctrl-C in a terminal goes to the tests, which then stop it in order.
        return subprocess.Popen(
            ["sh", "-c", _GUARDIAN, "guardian", str(folder), ends_by, *server],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def dismiss(guardian: subprocess.Popen[bytes]) -> None:
    """End the server, and wait until nothing is left of it."""
    if guardian.stdin is not None:
        guardian.stdin.close()
    guardian.wait(timeout=STOP_SECONDS)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

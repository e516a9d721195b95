"""Load on one address or on many, by wrk, from a core of its own."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

SERVER_CORE = 0
LOAD_CORE = 1
CONNECTIONS = 16

_EACH_ONCE = """
local paths = {}
for line in io.lines(os.getenv("LOAD_PATHS")) do paths[#paths + 1] = line end
local next_path = 0
request = function()
  next_path = next_path + 1
  return wrk.format("GET", paths[next_path] or paths[#paths])
end
"""


def pin(process_id: int, core: int = SERVER_CORE) -> None:
    """Keep every thread of a process on one core."""
    for thread in Path(f"/proc/{process_id}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


def requests_per_second(
    address: str, *, seconds: int, headers: Mapping[str, str] | None = None, connections: int = CONNECTIONS
) -> float:
    """Ask for one address without a pause, and return how many answers came a second.

    Raises:
        AssertionError: An answer was neither 2xx nor 3xx, or a connection broke.
    """
    named = [argument for name, value in (headers or {}).items() for argument in ("-H", f"{name}: {value}")]
    return _wrk([f"-c{connections}", f"-d{seconds}s", *named, address])


def requests_per_second_of_each(
    base: str, paths: Sequence[str], *, seconds: int, folder: Path, connections: int = CONNECTIONS
) -> float:
    """Ask for every path once, for as long as that takes or the seconds last; the last one may come again."""
    script, listed = folder / "each_once.lua", folder / "paths.txt"
    script.write_text(_EACH_ONCE)
    listed.write_text("\n".join(paths))
    return _wrk([f"-c{connections}", f"-d{seconds}s", "-s", str(script), base], LOAD_PATHS=str(listed))


def _wrk(arguments: Sequence[str], **environment: str) -> float:
    program = shutil.which("wrk")
    if program is None:
        pytest.skip("NOT RUN: there is no wrk; install it (Debian: wrk)")
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), program, "-t1", *arguments],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    assert "Socket errors" not in done.stdout, done.stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    return float(found[1])

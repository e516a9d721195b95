"""Load on one address, by wrk, from a core of its own."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.measuring import Cost, cpu_seconds_of

SERVER_CORE = 0
LOAD_CORE = 1
CONNECTIONS = 16


def pin(process_id: int, core: int = SERVER_CORE) -> None:
    """Keep every thread of a process on one core."""
    for thread in Path(f"/proc/{process_id}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@contextmanager
def pinned_to_load_core() -> Iterator[None]:
    """Keep this process on the core of the load, while it sends requests itself."""
    usual = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {LOAD_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, usual)


def cost_of_request(address: str, process_id: int, *, seconds: int, headers: Mapping[str, str] | None = None) -> Cost:
    """Request one address without a pause on connections that stay open, and return what each request took."""
    used = cpu_seconds_of(process_id)
    requests, by_the_clock = send_requests(address, seconds=seconds, headers=headers or {})
    return Cost((cpu_seconds_of(process_id) - used) / requests, by_the_clock / requests)


def send_requests(address: str, *, seconds: int, headers: Mapping[str, str]) -> tuple[int, float]:
    """Request one address without a pause; return the number of answers and the seconds that these took.

    Raises:
        AssertionError: An answer was neither 2xx nor 3xx, or a connection broke.
    """
    program = shutil.which("wrk")
    if program is None:
        pytest.skip("NOT RUN: there is no wrk; install it (Debian: wrk)")
    named = [argument for name, value in headers.items() for argument in ("-H", f"{name}: {value}")]
    done = subprocess.run(
        ["taskset", "-c", str(LOAD_CORE), program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *named, address],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    assert "Socket errors" not in done.stdout, done.stdout
    found = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout)
    assert found is not None, done.stdout
    return int(found[1]), float(found[2])

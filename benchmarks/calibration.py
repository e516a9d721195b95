"""The machine of a run, and what it takes for three things that everyone can repeat: figures travel by them.

The CPU of nginx and of bare uvicorn for a request with a fixed body, and a loop in pure Python.
"""

import os
import platform
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from benchmarks import load
from benchmarks.measuring import ROUNDS, Rounds
from benchmarks.peers import bare, nginx

BODY: Final = b"0123456789abcdef" * 300
HEADERS: Final = {
    "Content-Type": "application/json",
    "Content-Length": str(len(BODY)),
    "Cache-Control": "public, max-age=0, s-maxage=60",
    "Vary": "Accept-Encoding",
}
ADDITIONS: Final = 10_000_000
_SECONDS: Final = 1


@dataclass(frozen=True)
class Calibration:
    nginx_us: float | None
    """CPU for one request of 4,800 bytes; None where nginx or wrk is not installed."""
    uvicorn_us: float | None
    additions_seconds: float

    def __str__(self) -> str:
        servers = "nginx or wrk is not installed"
        if self.nginx_us is not None and self.uvicorn_us is not None:
            servers = f"nginx {self.nginx_us:.1f} µs and bare uvicorn {self.uvicorn_us:.1f} µs of CPU for a request"
        return f"{servers} with {len(BODY):,} bytes; ten million additions in Python {self.additions_seconds:.2f} s"


@dataclass(frozen=True)
class Machine:
    """Where a run was made, without a name."""

    cpu: str
    cores: int
    kernel: str
    python: str
    load: float
    """Of one minute, at the start of the run."""

    def __str__(self) -> str:
        software = f"Linux {self.kernel}, Python {self.python}"
        return f"{self.cpu}, {self.cores} cores, {software}, load {self.load:.1f} at the start"


def describe_machine() -> Machine:
    facts = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in facts if line.startswith("model name")]
    return Machine(
        cpu=next(iter(names), platform.machine()),
        cores=os.cpu_count() or 1,
        kernel=platform.release().partition("-")[0],
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 1),
    )


def calibrate(folder: Path) -> Calibration:
    """Measure the three, the servers in turns."""
    try:
        rounds = _serve_fixed_body(folder)
    except pytest.skip.Exception:
        return Calibration(None, None, _additions_seconds())
    nginx_us, uvicorn_us = (rounds.median(name).cpu_seconds * 1e6 for name in ("nginx", "uvicorn"))
    return Calibration(nginx_us, uvicorn_us, _additions_seconds())


def _serve_fixed_body(folder: Path) -> Rounds:
    rounds = Rounds()
    with nginx.serving(BODY, folder=folder / "nginx") as limit, bare.serving(BODY, HEADERS, folder=folder) as server:
        contestants = {"nginx": limit, "uvicorn": (f"{server[0]}/list", server[1])}
        for _, process_id in contestants.values():
            load.pin(process_id)
        for name in rounds.turns(*contestants):
            rounds.add(name, load.cost_of_request(*contestants[name], seconds=_SECONDS))
    return rounds


def _additions_seconds() -> float:
    return statistics.median(_add() for _ in range(ROUNDS))


def _add() -> float:
    began, total = time.process_time(), 0
    for number in range(ADDITIONS):
        total += number
    return time.process_time() - began

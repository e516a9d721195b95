"""How every benchmark measures: CPU for one unit of work, in rounds in which the contestants take turns.

A ratio is the median of the ratios of the rounds, so that other work of the machine affects both sides of each.
"""

import contextlib
import ctypes
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from sqlalchemy import text

from fairground.platform.db.database import Database

ROUNDS: Final = 5
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_C_LIBRARY: Final = ctypes.CDLL(None)


@dataclass(frozen=True)
class Cost:
    """What one request, job or operation takes."""

    cpu_seconds: float
    """Of the process that does the work, its children included."""
    seconds: float
    """By the clock; its inverse is the rate."""


class Rounds:
    """The costs of some contestants, which take turns."""

    def __init__(self) -> None:
        self._costs: dict[str, list[Cost]] = defaultdict(list)

    def turns(self, *names: str, rounds: int = ROUNDS, warm_up: bool = True) -> Iterator[str]:
        """Yield the names for each round, every second time in reverse order, after a round that does not count."""
        if warm_up:
            yield from names
            self._costs.clear()
        for number in range(rounds):
            yield from reversed(names) if number % 2 else names

    def add(self, name: str, cost: Cost) -> None:
        self._costs[name].append(cost)

    def median(self, name: str) -> Cost:
        costs = self._costs[name]
        return Cost(
            statistics.median(each.cpu_seconds for each in costs), statistics.median(each.seconds for each in costs)
        )

    def cpu_ratio(self, ours: str, theirs: str) -> float:
        return self._ratio(ours, theirs, lambda cost: cost.cpu_seconds)

    def rate_ratio(self, ours: str, theirs: str) -> float:
        return self._ratio(theirs, ours, lambda cost: cost.seconds)

    def _ratio(self, above: str, below: str, of: Callable[[Cost], float]) -> float:
        pairs = zip(self._costs[above], self._costs[below], strict=True)
        return statistics.median(of(one) / of(other) for one, other in pairs)


class Meter:
    """Measures the CPU of some processes and the clock, from its creation on."""

    def __init__(self, *process_ids: int) -> None:
        self._process_ids = process_ids
        self._began_at = time.perf_counter()
        self._used = self._cpu_seconds()

    def cost(self, *, units: int) -> Cost:
        """Return what each of so many units took."""
        seconds = time.perf_counter() - self._began_at
        return Cost((self._cpu_seconds() - self._used) / units, seconds / units)

    def _cpu_seconds(self) -> float:
        return sum(map(cpu_seconds_of, self._process_ids))


def cpu_seconds_of(process_id: int) -> float:
    """Return what a process and its children have used so far, ended threads and children included.

    Raises:
        ProcessLookupError: There is no such process.
    """
    ended = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[13:15]
    children = sum(map(int, ended)) / _TICKS + sum(map(_cpu_seconds_of_child, _children(process_id)))
    return time.clock_gettime(_cpu_clock_of(process_id)) + children


def _cpu_clock_of(process_id: int) -> int:
    """Return the clock of a process: /proc counts hundredths of a second, and this one nanoseconds."""
    clock = ctypes.c_int()
    if error := _C_LIBRARY.clock_getcpuclockid(process_id, ctypes.byref(clock)):
        raise ProcessLookupError(error, f"The process {process_id} has no clock.")
    return clock.value


def _cpu_seconds_of_child(process_id: int) -> float:
    with contextlib.suppress(OSError):  # it has ended
        return cpu_seconds_of(process_id)
    return 0.0


def _children(process_id: int) -> list[int]:
    threads = Path(f"/proc/{process_id}/task").glob("*/children")
    return [int(child) for thread in threads for child in thread.read_text().split()]


def postgres_process(url: str) -> int:
    """Return the id of the process whose children are the processes of a PostgreSQL server on this machine."""
    with psycopg.connect(url) as connection:
        row: Any = connection.execute("SELECT pg_backend_pid()").fetchone()
        return int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[1])


async def backend_processes(db: Database) -> list[int]:
    """Return the process of PostgreSQL that works for the only connection of a database; none for SQLite."""
    if db.backend.ops.name == "sqlite":
        return []
    async with db.write() as tx:
        return [await tx.scalar(text("SELECT pg_backend_pid()"))]

"""Runs of jobs that do nothing, by a worker in a process of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import IO, Final

from benchmarks.measuring import Cost, Meter

OUR_WORKER: Final = Path(__file__).with_name("job_worker.py")


def run_jobs(python: Path, worker: Path, *, url: str, jobs: int, batch: int, server: int = 0) -> tuple[Cost, Cost]:
    """Run so many jobs; return what each took of the worker, and of the database server.

    Args:
        python: The interpreter of the worker's environment; `worker` is its file.
        server: The process of PostgreSQL; 0 for SQLite, which works in the worker's process.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    # Without its own folder on the path, where a file may have the name of a package.
    words = [str(python), "-P", str(worker), url, str(jobs), str(batch)]
    with subprocess.Popen(words, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        _line(process.stdout, "ready")
        database = Meter(*([server] if server else []))
        print("run", file=process.stdin, flush=True)
        used = json.loads(_line(process.stdout, "{"))
        of_database = database.cost(units=jobs)
        process.stdin.close()
        process.stdout.read()
    return Cost(used["cpu_seconds"] / jobs, used["seconds"] / jobs), of_database


def _line(output: IO[str], beginning: str) -> str:
    """Return the next line that begins so; before it, the worker may log."""
    for line in output:
        if line.startswith(beginning):
            return line
    raise AssertionError("The worker ended early.")

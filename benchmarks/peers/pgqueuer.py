"""pgqueuer: a queue of jobs in PostgreSQL by asyncpg, in an environment of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

NAME: Final = "pgqueuer 1.6.0"
WORKER: Final = Path(__file__).with_name("pgqueuer_worker.py")


def install(folder: Path) -> Path:
    """Return the interpreter of an environment that has it."""
    python = folder / "bin" / "python"
    for words in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "--quiet", NAME.replace(" ", "=="), "asyncpg", "uvloop"],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"NOT RUN: pgqueuer cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    return python

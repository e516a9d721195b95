"""Processes of tests: forked from one that has imported everything once, so each starts in a moment."""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

ROOT: Final = Path(__file__).resolve().parents[2]

_PROCESSES: Final = multiprocessing.get_context("forkserver")
# One list for all, because the first process that starts fixes what is imported beforehand.
_PROCESSES.set_forkserver_preload(["tests.proofs.chaos_worker", "tests.support.server_process"])


def start(target: Callable[..., None], **arguments: Any) -> ForkServerProcess:
    """Start a process that runs `target`, which must be a function of a module."""
    process = _PROCESSES.Process(target=target, kwargs=arguments)
    # Read when the first one starts, by the server that they are all forked from.
    with patch.dict(os.environ, PYTHONPATH=f"{ROOT / 'src'}{os.pathsep}{ROOT}"):
        process.start()
    return process


def write_output_to(log: Path) -> None:
    """Append to a file whatever this process prints from now on."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(descriptor, stream)

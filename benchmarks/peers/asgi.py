"""Peers that are ASGI applications: started by uvicorn in a process of their own."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

import httpx

from tests.support.processes import ROOT
from tools.guardian import free_port

START_SECONDS = 60


@contextlib.contextmanager
def serving_app(app: str, environment: Mapping[str, str], *options: str, ready_at: str) -> Iterator[tuple[str, int]]:
    """Serve an application; give its address and the process id.

    Args:
        app: Its place, as `module:name`.
        options: More options of uvicorn.
        ready_at: A path that it answers when it is ready.
    """
    port = free_port()
    words = ["-m", "uvicorn", app, "--no-access-log", "--no-server-header", *options]
    program = [sys.executable, *words, "--log-level", "warning", "--port", str(port)]
    with subprocess.Popen(program, cwd=ROOT, env={**os.environ, **environment}) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address + ready_at, process)
            yield address, process.pid
        finally:
            process.terminate()


def _wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address, timeout=30).raise_for_status()
            return
        time.sleep(0.1)
    raise AssertionError("The peer did not start.")

"""thumbor: a server that makes pictures on demand from the originals, in an environment of its own."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from tools.guardian import free_port

_CONFIGURATION: Final = """
LOADER = 'thumbor.loaders.file_loader'
FILE_LOADER_ROOT_PATH = {folder!r}
STORAGE = 'thumbor.storages.no_storage'
ALLOW_UNSAFE_URL = True
QUALITY = 80
"""


@contextlib.contextmanager
def serving(folder: Path) -> Iterator[tuple[str, int]]:
    """Serve the photos of a folder; give the address to which size and name are added, and the process id."""
    venv = folder / "venv"
    pip = [str(venv / "bin" / "pip"), "install", "--quiet", "thumbor==7.8.0"]
    for words in ([sys.executable, "-m", "venv", str(venv)], pip):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"NOT RUN: thumbor cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
    configuration = folder / "thumbor.conf"
    configuration.write_text(_CONFIGURATION.format(folder=str(folder)))
    port = free_port()
    words = [str(venv / "bin" / "thumbor"), "--ip", "127.0.0.1", "--port", str(port), "--conf", str(configuration)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                client.get(f"http://127.0.0.1:{port}/healthcheck").raise_for_status()
            yield f"http://127.0.0.1:{port}/unsafe", process.pid
        finally:
            process.terminate()

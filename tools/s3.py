"""A private S3 server for tests: moto in a process of its own, on a free port, and gone afterwards.

`python -m tools.s3` starts one and prints its address until it is interrupted, for a look around by hand.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tools.guardian import Server, dismiss, free_port, launch

START_SECONDS: Final = 60
BUCKET: Final = "fairground"
KEY_ID: Final = "AKIATESTSOFFAIRGROUND"
SECRET: Final = "of no use anywhere else"  # noqa: S105 - of a server that lives for one test run


class NoS3(Exception):
    """No server is available. The message has the reason and what to do."""


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """Give a server with one empty bucket, for as long as the block runs.

    Raises:
        NoS3: It did not start.
    """
    folder, port = Path(tempfile.mkdtemp(prefix="fairground-s3-")), free_port()
    script = Path(__file__).with_name("s3_server.py")
    # Without -P, files beside the script would hide packages of the same name.
    command = [sys.executable, "-P", str(script), str(port), BUCKET, KEY_ID, SECRET]
    guardian = launch(command, folder=folder, ends_by="KILL")
    try:
        _await_answer(guardian, port, log=folder / "log")
        url = f"s3://{BUCKET}?endpoint=http://127.0.0.1:{port}"
        yield Server(url, f"moto {version('moto')} on port {port}")
    finally:
        dismiss(guardian)


def _await_answer(guardian: subprocess.Popen[bytes], port: int, *, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and guardian.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.02)
    raise NoS3(f"The S3 server of the tests did not start: {log.read_text(errors='replace')[-2000:]}")


def main() -> None:
    """Run one server until interrupted."""
    with running() as server, contextlib.suppress(KeyboardInterrupt):
        keys = f"FAIRGROUND_STORAGE_ACCESS_KEY_ID={KEY_ID} FAIRGROUND_STORAGE_SECRET_ACCESS_KEY={SECRET}"
        print(f"{server.description}\n{server.url}\n{keys}\nCtrl-C stops it and removes everything.", flush=True)
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    try:
        main()
    except NoS3 as error:
        sys.exit(str(error))

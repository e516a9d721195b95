"""One command, and a marketplace answers: soon with a demo to build first, at once later, and small while it idles."""

import contextlib
import os
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support.processes import ROOT
from tests.support.proofs import IS_FULL, Dose

pytestmark = pytest.mark.timeout(300)

Figures = Callable[[str, float, str], None]
FIRST_SECONDS: Final = 15
LATER_SECONDS: Final = 3
IDLE_MEGABYTES: Final = 150
_PROGRAM: Final = "from fairground.entrypoints.cli import main; main()"


@dataclass(frozen=True)
class Up:
    """A marketplace that answers."""

    page: str
    seconds: float
    """From the command to the first answer."""
    process_id: int

    def megabytes(self) -> float:
        asked = subprocess.run(
            ["ps", "-o", "rss=", "-p", str(self.process_id)], capture_output=True, text=True, check=True
        )
        return int(asked.stdout) / 1024


@contextlib.contextmanager
def up(folder: Path) -> Iterator[Up]:
    """Run `fairground up`, as a newcomer does: an interpreter of its own, nothing imported beforehand."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FAIRGROUND_", "SQLALCHEMY_"))}
    kept |= {"FAIRGROUND_DATA_DIR": str(folder), "FAIRGROUND_HTTP_PORT": "0", "PYTHONPATH": str(ROOT / "src")}
    log = folder.parent / f"{folder.name}.log"
    started = time.monotonic()
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM, "up"], env=kept, stdout=output, stderr=output)
    try:
        while (found := re.search(r"Fairground is at (http://\S+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        page = httpx.get(found[1], timeout=60)
        yield Up(page=page.raise_for_status().text, seconds=time.monotonic() - started, process_id=process.pid)
    finally:
        process.terminate()
        try:
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            process.wait()


def cpu_seconds_of_children() -> float:
    """Return what ended children used: on a machine that others share, less of a guess than the time that passed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_one_command_starts_a_marketplace_soon_and_small(tmp_path: Path, dose: Dose, figure: Figures) -> None:
    folder, idle_seconds = tmp_path / "var", dose(small=1, full=20)
    seconds, cpu_seconds, megabytes = [], [], []
    for _ in range(2):
        used = cpu_seconds_of_children()
        with up(folder) as site:
            assert "artists" in site.page.lower()
            time.sleep(idle_seconds)
            seconds.append(site.seconds)
            megabytes.append(site.megabytes())
        cpu_seconds.append(cpu_seconds_of_children() - used)
    figure("first `up`, demo included, until the home page is there", seconds[0], "s")
    figure("later `up` until the home page is there", seconds[1], "s")
    figure("CPU of the first, idling included", cpu_seconds[0], "s")
    figure("CPU of the later, idling included", cpu_seconds[1], "s")
    figure("idle with web and worker, after building the demo", megabytes[0], "MB")
    figure("idle with web and worker, later", megabytes[1], "MB")
    if IS_FULL:
        assert seconds[0] <= FIRST_SECONDS
        assert seconds[1] <= LATER_SECONDS
        assert max(megabytes) <= IDLE_MEGABYTES

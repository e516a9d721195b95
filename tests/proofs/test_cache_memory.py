"""A gigabyte of distinct answers passes through the memory level, and the process grows by what the settings allow."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import memory_filler, processes
from tests.support.proofs import IS_FULL, Dose

pytestmark = pytest.mark.timeout(900 if IS_FULL else 180)

MOST_MIB = 64
MIB = 1024 * 1024
Figures = Callable[[str, float, str], None]


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="NOT RUN: no /proc tells the size of a process")
@pytest.mark.parametrize(("body_bytes", "in_all_mib"), [(200, (8, 80)), (8_000, (100, 1024))])
def test_memory_grows_by_what_is_allowed(
    tmp_path: Path, body_bytes: int, in_all_mib: tuple[int, int], dose: Dose, figure: Figures
) -> None:
    small, full = in_all_mib
    filler = processes.start(
        memory_filler.fill,
        most_bytes=MOST_MIB * MIB,
        bytes_in_all=dose(small=small, full=full) * MIB,
        body_bytes=body_bytes,
        result_file=tmp_path / "grown",
    )
    filler.join()
    grown_mib = int((tmp_path / "grown").read_text()) / MIB
    assert grown_mib <= MOST_MIB * 1.15
    figure(f"growth by answers of {body_bytes} bytes, of {MOST_MIB} MiB allowed", grown_mib, "MiB")

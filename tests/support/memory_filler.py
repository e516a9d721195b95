"""Fills the cache's memory level in a process of its own, and writes down what that cost."""

import random
from pathlib import Path

from fairground.platform.cache.entry import make_entry, make_times
from fairground.platform.cache.memory import MemoryEntry, MemoryLevel
from fairground.platform.cache.policy import ComputedResponse

_HEADERS = tuple((f"x-header-{number}".encode(), b"of a usual length") for number in range(6))


def fill(*, most_bytes: int, bytes_in_all: int, body_bytes: int, result_file: Path) -> None:
    """Store responses of one size, each under its own key, and write the growth of the process, in bytes, to a file."""
    level, chance = MemoryLevel(most_bytes=most_bytes), random.Random(1)
    words = [b"%016x" % chance.getrandbits(64) for _ in range(500)]
    before = _resident_bytes()
    for number in range(bytes_in_all // body_bytes):
        body = b" ".join(chance.choices(words, k=body_bytes // 17))
        times = make_times(now=0, fresh_seconds=60, stale_seconds=0, error_seconds=0)
        entry = make_entry(
            ComputedResponse(200, _HEADERS, body), times=times, compute_seconds=0, tokens=(b"x" * 21,) * 4
        )
        entry.make_variant("br" if "br" in entry.bodies else "identity")
        tags = ("everything", "life:lists", "catalog", f"provider:{number}")
        key = f"v2:list:providers:12345678:anon:{number:032x}"
        level.put(MemoryEntry(key=key, entry=entry, tags=tags, state=(0,) * 5, trusted_until=1.0))
    result_file.write_text(str(_resident_bytes() - before))


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

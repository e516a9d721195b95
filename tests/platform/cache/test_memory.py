import random
from collections import OrderedDict

import pytest

from fairground.platform.cache.entry import Entry, make_entry, make_times
from fairground.platform.cache.memory import MemoryEntry, MemoryLevel
from fairground.platform.cache.policy import ComputedResponse


def entry(*, size_bytes: int = 100) -> Entry:
    response = ComputedResponse(200, ((b"content-type", b"application/json"),), random.randbytes(size_bytes))
    times = make_times(now=0, fresh_seconds=60, stale_seconds=0, error_seconds=0)
    return make_entry(response, times=times, compute_seconds=0, tokens=())


def stored(key: str, *, of: Entry | None = None) -> MemoryEntry:
    return MemoryEntry(key=key, entry=of or entry(), tags=(), state=(0,), trusted_until=1)


def level_for(count: int) -> MemoryLevel:
    return MemoryLevel(most_bytes=entry().memory_bytes * count)


def test_entry_is_replaced_by_one_of_the_same_key() -> None:
    level = level_for(3)
    first, second = stored("a"), stored("a")
    level.put(first)
    level.put(second)
    assert level.get("a") is second
    assert (len(level), level.bytes, level.evictions) == (1, second.bytes, 0)


def test_oldest_entry_without_a_hit_is_evicted_first() -> None:
    level = level_for(3)
    for key in "abc":
        level.put(stored(key))
    level.get("a")
    level.put(stored("d"))
    assert [key for key in "abcd" if level.get(key)] == ["a", "c", "d"]


def test_memory_is_limited_by_bytes_under_random_use() -> None:
    chance = random.Random(3)
    level = MemoryLevel(most_bytes=400_000)
    entries = [entry(size_bytes=chance.randint(1, 40_000)) for _ in range(200)]
    for _ in range(5_000):
        key = str(chance.randint(0, 199))
        if not level.get(key):
            level.put(stored(key, of=entries[int(key)]))
        assert level.bytes <= level.most_bytes
    assert level.bytes == sum(found.bytes for key in map(str, range(200)) if (found := level.get(key)))
    assert level.evictions > 1_000


def test_growing_entry_evicts_others() -> None:
    level = level_for(2)
    grown, other = stored("a", of=entry(size_bytes=2_000)), stored("b")
    level = MemoryLevel(most_bytes=grown.entry.memory_bytes + other.entry.memory_bytes)
    level.put(other)
    level.put(grown)
    level.get("a")
    grown.entry.make_variant("gzip")
    level.update_size(grown)
    assert level.get("b") is None
    assert level.bytes == grown.entry.memory_bytes


def test_entry_larger_than_the_memory_is_not_stored() -> None:
    level = level_for(1)
    level.put(stored("small"))
    level.put(stored("large", of=entry(size_bytes=50_000)))
    assert level.get("large") is None
    assert level.get("small") is not None


def test_cleared_memory_stores_entries_again() -> None:
    level = level_for(2)
    for key in "abc":
        level.put(stored(key))
    level.clear()
    assert (len(level), level.bytes) == (0, 0)
    level.put(stored("d"))
    assert level.get("d") is not None


def zipf_trace(*, keys: int, requests: int, exponent: float) -> list[int]:
    weights = [1 / rank**exponent for rank in range(1, keys + 1)]
    return random.Random(7).choices(range(keys), weights, k=requests)


def hit_ratio(trace: list[int], *, room: int) -> float:
    level, one = level_for(room), entry()
    hits = 0
    for number in trace:
        if level.get(str(number)):
            hits += 1
        else:
            level.put(stored(str(number), of=one))
    return hits / len(trace)


def lru_hit_ratio(trace: list[int], *, room: int) -> float:
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for number in trace:
        hits += number in held
        held[number] = None
        held.move_to_end(number)
        if len(held) > room:
            held.popitem(last=False)
    return hits / len(trace)


@pytest.mark.parametrize("room", [100, 1_000])
def test_hit_ratio_is_at_least_that_of_lru(room: int) -> None:
    one = entry()
    level = MemoryLevel(most_bytes=one.memory_bytes * room)
    assert level.most_bytes // one.memory_bytes == room
    trace = zipf_trace(keys=10_000, requests=60_000, exponent=0.9)
    assert hit_ratio(trace, room=room) >= lru_hit_ratio(trace, room=room)


def test_scan_evicts_no_popular_entry() -> None:
    popular = [str(number) for number in range(300)]
    one, level = entry(), level_for(500)
    for key in popular:
        level.put(stored(key, of=one))
        level.get(key)
    misses = 0
    for number in range(100_000):
        level.put(stored(f"scan {number}", of=one))
        key = popular[number % len(popular)]
        if level.get(key) is None:
            misses += 1
            level.put(stored(key, of=one))
    assert misses / 100_000 < 0.02

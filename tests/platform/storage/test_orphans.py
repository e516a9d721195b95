"""Orphans in real stores; only the referrers are doubles."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import pytest

from fairground.platform.storage import orphans
from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from fairground.platform.storage.orphans import CollectOrphans, OrphanCollector
from fairground.platform.storage.settings import StorageSettings
from tests.support.storage import MovedClock, StoreHarness

DAY = timedelta(days=1)


class KnownKeys:
    """A referrer that needs the keys that it was given."""

    def __init__(self, *keys: str) -> None:
        self.keys = set(keys)
        self.questions: list[int] = []

    async def find_referred(self, keys: Sequence[str]) -> Collection[str]:
        self.questions.append(len(keys))
        return self.keys & set(keys)


@pytest.fixture
def calendar() -> MovedClock:
    """Give the collector a day of its own; what a store signs must be of today."""
    return MovedClock()


@pytest.fixture
async def keys(harness: StoreHarness) -> dict[str, str]:
    """Put two objects of each kind, of which one is referred to."""
    keys = {}
    for retention in (Retention.ORIGINAL, Retention.DERIVATIVE):
        for name in ("used", "orphan"):
            content = f"{retention} {name}".encode()
            keys[f"{retention} {name}"] = content_key(retention, content, content_type="image/webp")
            await harness.store.put(keys[f"{retention} {name}"], content)
    keys["upload"] = new_upload_key(content_type="image/webp")
    await harness.store.put(keys["upload"], b"upload")
    return keys


def collector(harness: StoreHarness, calendar: MovedClock, *referrers: KnownKeys) -> OrphanCollector:
    return OrphanCollector(harness.store, referrers=referrers, grace_of=StorageSettings().grace_of, clock=calendar)


async def stored(harness: StoreHarness) -> set[str]:
    return {each.key for retention in Retention async for each in harness.store.list_objects(retention)}


async def test_only_old_unreferenced_objects_are_collected(
    harness: StoreHarness, calendar: MovedClock, keys: dict[str, str]
) -> None:
    referrer = KnownKeys(keys["original used"], keys["derivative used"])
    orphan_collector = collector(harness, calendar, referrer)
    everything = set(keys.values())
    for days, gone in ((0, set()), (2, {"upload"}), (8, {"derivative orphan"}), (31, {"original orphan"})):
        calendar.ahead = days * DAY
        expected = {keys[name] for name in gone}
        assert {orphan.key async for orphan in orphan_collector.find_orphans()} == expected
        assert await stored(harness) == everything, "a look removes nothing"
        collected = await orphan_collector.collect()
        everything -= expected
        assert collected.objects == len(expected)
        assert await stored(harness) == everything
    assert {keys["original used"], keys["derivative used"]} == everything


async def test_each_referrer_can_keep_an_object(
    harness: StoreHarness, calendar: MovedClock, keys: dict[str, str]
) -> None:
    calendar.ahead = 40 * DAY
    orphan_collector = collector(
        harness, calendar, KnownKeys(*list(keys.values())[:2]), KnownKeys(*list(keys.values())[2:])
    )
    assert (await orphan_collector.collect()).objects == 0
    assert await stored(harness) == set(keys.values())


async def test_without_referrers_only_uploads_are_collected(
    harness: StoreHarness, calendar: MovedClock, keys: dict[str, str]
) -> None:
    calendar.ahead = 4000 * DAY
    await collector(harness, calendar).on_collect_orphans(CollectOrphans())
    assert await stored(harness) == set(keys.values()) - {keys["upload"]}


async def test_referrers_are_asked_in_batches(
    harness: StoreHarness, calendar: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_BATCH", 2)
    for number in range(5):
        await harness.store.put(new_upload_key(content_type="image/webp"), bytes([number]))
    referrer = KnownKeys()
    calendar.ahead = 2 * DAY
    assert (await collector(harness, calendar, referrer).collect()).objects == 5
    assert referrer.questions == [2, 2, 1]

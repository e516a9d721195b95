"""What nothing refers to, found and removed in a real store; only who refers is a double, for that is not ours yet."""

from collections.abc import Collection, Sequence
from datetime import timedelta

import pytest

from fairground.platform.storage import orphans
from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from fairground.platform.storage.orphans import CollectOrphans, OrphanCollector
from fairground.platform.storage.settings import StorageSettings
from tests.support.storage import MovedClock, Shelf

DAY = timedelta(days=1)


class Album:
    """Keeps the keys that it was given."""

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
async def keys(shelf: Shelf) -> dict[str, str]:
    """Put two objects of each kind, of which one is referred to."""
    keys = {}
    for retention in (Retention.ORIGINAL, Retention.DERIVATIVE):
        for name in ("used", "orphan"):
            content = f"{retention} {name}".encode()
            keys[f"{retention} {name}"] = content_key(retention, content, content_type="image/webp")
            await shelf.store.put(keys[f"{retention} {name}"], content)
    keys["upload"] = new_upload_key(content_type="image/webp")
    await shelf.store.put(keys["upload"], b"upload")
    return keys


def collector(shelf: Shelf, calendar: MovedClock, *referrers: Album) -> OrphanCollector:
    return OrphanCollector(shelf.store, referrers=referrers, grace_of=StorageSettings().grace_of, clock=calendar)


async def stored(shelf: Shelf) -> set[str]:
    return {each.key for retention in Retention async for each in shelf.store.list_objects(retention)}


async def test_only_what_is_old_and_not_referred_to_goes(
    shelf: Shelf, calendar: MovedClock, keys: dict[str, str]
) -> None:
    album = Album(keys["original used"], keys["derivative used"])
    judge = collector(shelf, calendar, album)
    everything = set(keys.values())
    for days, gone in ((0, set()), (2, {"upload"}), (8, {"derivative orphan"}), (31, {"original orphan"})):
        calendar.ahead = days * DAY
        wanted = {keys[name] for name in gone}
        assert {orphan.key async for orphan in judge.find_orphans()} == wanted
        assert await stored(shelf) == everything, "a look removes nothing"
        collected = await judge.collect()
        everything -= wanted
        assert collected.objects == len(wanted)
        assert await stored(shelf) == everything
    assert {keys["original used"], keys["derivative used"]} == everything


async def test_each_of_several_referrers_may_keep_an_object(
    shelf: Shelf, calendar: MovedClock, keys: dict[str, str]
) -> None:
    calendar.ahead = 40 * DAY
    judge = collector(shelf, calendar, Album(*list(keys.values())[:2]), Album(*list(keys.values())[2:]))
    assert (await judge.collect()).objects == 0
    assert await stored(shelf) == set(keys.values())


async def test_without_a_referrer_nothing_but_uploads_is_judged(
    shelf: Shelf, calendar: MovedClock, keys: dict[str, str]
) -> None:
    calendar.ahead = 4000 * DAY
    await collector(shelf, calendar).on_collect_orphans(CollectOrphans())
    assert await stored(shelf) == set(keys.values()) - {keys["upload"]}


async def test_a_long_list_is_asked_about_in_pieces(
    shelf: Shelf, calendar: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "_BATCH", 2)
    for number in range(5):
        await shelf.store.put(new_upload_key(content_type="image/webp"), bytes([number]))
    album = Album()
    calendar.ahead = 2 * DAY
    assert (await collector(shelf, calendar, album).collect()).objects == 5
    assert album.questions == [2, 2, 1]

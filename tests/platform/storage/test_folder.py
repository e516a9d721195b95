"""The folder store alone: errors of its disk, and what is left on it."""

import asyncio
import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from fairground.kernel.zones import SystemClock
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import Retention, content_key, new_upload_key
from fairground.platform.storage.store import ObjectNotFound, StorageFull, StorageUnavailable
from tests.support.storage import folder_store, open_harness

CONTENT = b"content" * 1_000
KEY = content_key(Retention.ORIGINAL, CONTENT, content_type="image/png")
HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return folder_store(tmp_path)


def unfinished(tmp_path: Path) -> list[Path]:
    return list((tmp_path / "media" / ".unfinished").iterdir())


async def test_control_without_the_link_every_writer_wins(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the race in the contract: with names that replace, no writer learns that it was second."""
    monkeypatch.setattr(os, "link", os.replace)
    key = new_upload_key(content_type="image/png")
    were_first = await asyncio.gather(*(store.put(key, bytes([number]) * 50_000) for number in range(12)))
    assert were_first.count(True) == 12


async def test_read_that_is_cancelled_while_its_file_is_opened_leaves_no_descriptor(
    store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.put(KEY, CONTENT)
    is_opening, may_open, is_closed = threading.Event(), threading.Event(), threading.Event()
    opened: list[int] = []
    open_file, close = os.open, os.close

    def open_slowly(path: Path, *flags: int) -> int:
        is_opening.set()
        may_open.wait(10)
        opened.append(open_file(path, *flags))
        return opened[0]

    def note_close(descriptor: int) -> None:
        close(descriptor)
        if descriptor in opened:
            is_closed.set()

    async def read() -> None:
        async with store.read(KEY):
            pytest.fail("The read was cancelled before.")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", open_slowly)
        patch.setattr(os, "close", note_close)
        reading = asyncio.create_task(read())
        await asyncio.to_thread(is_opening.wait, 10)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        may_open.set()
        assert await asyncio.to_thread(is_closed.wait, 10)


@pytest.mark.parametrize("is_locked", [True, False])
async def test_object_put_during_its_discard_is_kept(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_locked: bool
) -> None:
    """Without the lock (the control) the writer learns that the object exists, and it is gone."""
    await store.put(KEY, CONTENT)
    file = tmp_path / "media" / KEY
    os.utime(file, (0, 0))
    if not is_locked:
        monkeypatch.setattr(FolderStore, "_locked", lambda _store: contextlib.nullcontext())
    results: list[bool] = []
    writer = threading.Thread(target=lambda: results.append(asyncio.run(store.put(KEY, CONTENT))))
    unlink = Path.unlink

    def put_first(path: Path, **options: Any) -> None:
        """Let the writer begin after the age was looked at, and come as far as it can."""
        if path == file:
            monkeypatch.setattr(Path, "unlink", unlink)
            writer.start()
            writer.join(timeout=1)
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", put_first)
    assert await store.discard(KEY, stored_before=SystemClock().now() - HOUR)
    await asyncio.to_thread(writer.join)
    assert file.exists() is is_locked
    assert results == [is_locked], "it was put again, or, without the lock, reported as existing"


async def test_full_disk_is_reported_and_leaves_no_file(
    store: FolderStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def write_little(descriptor: int, chunk: bytes) -> int:
        monkeypatch.setattr(os, "write", _refuse)
        return write(descriptor, bytes(chunk[:10]))

    monkeypatch.setattr(os, "write", write_little)
    with pytest.raises(StorageFull, match="No space left"):
        await store.put(KEY, CONTENT)
    assert unfinished(tmp_path) == []
    with pytest.raises(ObjectNotFound):
        await store.head(KEY)


def _refuse(_descriptor: int, _chunk: bytes) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


async def test_unusable_folder_is_reported_without_its_path(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("a file where a folder should be")
    store = folder_store(tmp_path)
    for attempt in (store.put(KEY, CONTENT), store.head(KEY), store.delete(KEY)):
        with pytest.raises(StorageUnavailable) as raised:
            await attempt
        assert str(tmp_path) not in raised.value.detail
    with pytest.raises(StorageUnavailable):
        store.sign_read(KEY, lifetime=HOUR)


async def test_unfinished_file_of_a_dead_writer_is_dropped_once_it_is_old(store: FolderStore, tmp_path: Path) -> None:
    await store.put(KEY, CONTENT)
    left = tmp_path / "media" / ".unfinished" / "left"
    left.write_bytes(b"half")
    now = SystemClock().now()
    assert await store.drop_unfinished(begun_before=now - HOUR) == 0
    assert await store.drop_unfinished(begun_before=now + HOUR) == 1
    assert unfinished(tmp_path) == []
    assert [stored.key async for stored in store.list_objects(Retention.ORIGINAL)] == [KEY]


async def test_foreign_files_are_not_listed(store: FolderStore, tmp_path: Path) -> None:
    await store.put(KEY, CONTENT)
    for name in (".DS_Store", "Thumbs.db", "Copy of me.png"):
        (tmp_path / "media" / "original" / name).write_text("foreign")
    assert [stored.key async for stored in store.list_objects(Retention.ORIGINAL)] == [KEY]


async def test_objects_and_secret_are_readable_by_their_owner_alone(store: FolderStore, tmp_path: Path) -> None:
    await store.put(KEY, CONTENT)
    store.sign_read(KEY, lifetime=HOUR)
    modes = {name: stat.S_IMODE((tmp_path / "media" / name).stat().st_mode) for name in (KEY, ".secret")}
    assert modes == {KEY: 0o600, ".secret": 0o600}


async def test_processes_that_share_a_folder_accept_each_others_signatures(tmp_path: Path) -> None:
    stores = [folder_store(tmp_path) for _ in range(8)]
    await stores[0].put(KEY, CONTENT)
    addresses = await asyncio.gather(*(asyncio.to_thread(store.sign_read, KEY, lifetime=HOUR) for store in stores))
    async with open_harness(stores[0], spool=tmp_path) as harness:
        assert {(await harness.browser.get(url)).status_code for url in addresses} == {200}


async def test_second_file_of_one_form_is_refused(tmp_path: Path) -> None:
    async with open_harness(folder_store(tmp_path), spool=tmp_path / "incoming") as harness:
        form = harness.store.offer_upload(new_upload_key(content_type="image/png"), max_bytes=10, lifetime=HOUR)
        assert (await harness.send(form, b"first")).status_code == 204
        again = await harness.send(form, b"second")
        assert (again.status_code, again.json()["code"]) == (409, "storage.upload_taken")
        assert await harness.content(form.key) == b"first"


async def test_disk_calls_run_outside_of_the_event_loop(store: FolderStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call of the system that may wait is made in a thread."""
    loop_thread = threading.get_ident()
    with _calls_watched(monkeypatch, "open", "write", "fsync", "link", "utime", "pread", "scandir") as threads:
        await store.put(KEY, CONTENT)
        await store.put(KEY, CONTENT)
        async with store.read(KEY) as content:
            assert [len(chunk) async for chunk in content.chunks] == [len(CONTENT)]
        assert [stored.key async for stored in store.list_objects(Retention.ORIGINAL)] == [KEY]
        await store.discard(KEY, stored_before=SystemClock().now() + HOUR)
    assert set(threads) == {"open", "write", "fsync", "link", "utime", "pread", "scandir"}
    assert loop_thread not in {thread for each in threads.values() for thread in each}


@pytest.mark.parametrize("made_by_others", [".", "media", "media/original", f"media/{Path(KEY).parent}"])
async def test_folders_are_flushed_also_where_another_writer_made_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by_others: str
) -> None:
    """Another writer may have made a folder and not have come as far as flushing its name."""
    (tmp_path / made_by_others).mkdir(parents=True, exist_ok=True)
    flushed: list[Path] = []
    flush = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    store, file = folder_store(tmp_path), tmp_path.resolve() / "media" / KEY
    await store.put(KEY, CONTENT)
    assert set(file.parents[:3]) <= set(flushed), "each name below the root is in a folder that was flushed"
    assert (tmp_path in flushed) == (made_by_others == "."), "and the root's own, if it was made here"
    assert flushed[-1] == file.parent
    flushed.clear()
    await store.put(KEY, CONTENT)
    assert len(flushed) == 2, "the folders once, not for each object"


@contextlib.contextmanager
def _calls_watched(monkeypatch: pytest.MonkeyPatch, *names: str) -> Iterator[dict[str, set[int]]]:
    """Give the threads in which functions of `os` were called."""
    threads: dict[str, set[int]] = {}

    def watched(name: str) -> Any:
        call = getattr(os, name)

        def note(*arguments: Any, **options: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return call(*arguments, **options)

        return note

    with monkeypatch.context() as patch:
        for name in names:
            patch.setattr(os, name, watched(name))
        yield threads

"""An object is there whole or not at all, wherever its writer is killed, and nothing of the dead stays for ever."""

import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from fairground.kernel.zones import SystemClock
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.store import ObjectNotFound
from tests.support import processes
from tests.support.storage import folder_store, open_harness, s3_store
from tests.support.storage_writer import (
    CONTENT,
    FULL_EXIT_CODE,
    KEY,
    Death,
    put_beyond_a_limit,
    put_in_folder,
    put_on_server,
)
from tools.guardian import Server

HOUR = timedelta(hours=1)
# In the order in which a put comes by them: folders are flushed, the file is written and flushed, and linked.
BEFORE_THE_LINK = [
    Death("fsync", "before"),
    Death("fsync", "after", 2),
    Death("write", "before"),
    Death("write", "after"),
    Death("write", "after", 2),
    Death("write", "after", 4),
    Death("fsync", "before", 3),
    Death("fsync", "after", 3),
    Death("link", "before"),
]
AFTER_THE_LINK = [Death("link", "after"), Death("fsync", "before", 6), Death("fsync", "after", 6)]


def killed(tmp_path: Path, death: Death, *, is_careful: bool = True) -> None:
    writer = processes.start(put_in_folder, folder=tmp_path, death=death, is_careful=is_careful)
    writer.join(timeout=60)
    assert writer.exitcode == -9, f"{death} is nowhere on the way"


@pytest.mark.parametrize("death", [*BEFORE_THE_LINK, *AFTER_THE_LINK], ids=str)
async def test_a_killed_writer_leaves_a_whole_object_or_none(tmp_path: Path, death: Death) -> None:
    killed(tmp_path, death)
    async with open_harness(folder_store(tmp_path), spool=tmp_path) as harness:
        listed = [stored.key async for stored in harness.store.list_objects(Retention.ORIGINAL)]
        assert listed == ([KEY] if death in AFTER_THE_LINK else [])
        assert await harness.store.put(KEY, CONTENT) is (death in BEFORE_THE_LINK), "the next writer can put it"
        assert await harness.content(KEY) == CONTENT
        await harness.store.drop_unfinished(begun_before=SystemClock().now() + HOUR)
    files = [path for path in (tmp_path / "media").rglob("*") if path.is_file() and path.name != ".lock"]
    assert files == [tmp_path / "media" / KEY]
    assert files[0].stat().st_nlink == 1


async def test_control_writer_without_a_temporary_name_leaves_half_an_object(tmp_path: Path) -> None:
    """The control: without a name of its own for what is not finished, readers meet half of it."""
    killed(tmp_path, Death("write", "after", 2), is_careful=False)
    async with open_harness(folder_store(tmp_path), spool=tmp_path) as harness:
        assert await harness.content(KEY) == CONTENT[: len(CONTENT) // 2]


async def test_a_killed_writer_leaves_nothing_on_a_server(s3_server: Server, tmp_path: Path) -> None:
    prefix = f"/tests/{uuid.uuid4().hex}"
    writer = processes.start(put_on_server, server=s3_server, prefix=prefix)
    writer.join(timeout=60)
    assert writer.exitcode == -9
    async with open_harness(s3_store(s3_server, prefix=prefix), spool=tmp_path) as harness:
        with pytest.raises(ObjectNotFound):
            await harness.store.head(KEY)
        assert await harness.store.put(KEY, CONTENT)


def test_write_beyond_a_limit_of_the_kernel_raises_and_leaves_no_file(tmp_path: Path) -> None:
    writer = processes.start(put_beyond_a_limit, folder=tmp_path)
    writer.join(timeout=60)
    assert writer.exitcode == FULL_EXIT_CODE
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

"""A process that puts one object into a store, and is killed or runs out of space in between."""

import asyncio
import io
import os
import resource
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.store import Content, StorageFull
from tests.support.storage import folder_store, s3_store
from tools.guardian import Server

CONTENT = bytes(range(256)) * 4096  # four chunks
KEY = content_key(Retention.ORIGINAL, CONTENT, content_type="image/png")
FULL_EXIT_CODE = 42


@dataclass(frozen=True)
class Death:
    """Before or after which call of a function of `os` the process is killed."""

    call: str
    when: Literal["before", "after"]
    nth: int = 1

    def arm(self) -> None:
        function: Callable[..., Any] = getattr(os, self.call)
        calls = 0

        def deadly(*arguments: Any, **options: Any) -> Any:
            nonlocal calls
            calls += 1
            is_here = calls == self.nth
            if is_here and self.when == "before":
                _die()
            result = function(*arguments, **options)
            if is_here:
                _die()
            return result

        setattr(os, self.call, deadly)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def put_in_folder(folder: Path, death: Death, *, is_careful: bool) -> None:
    if not is_careful:
        setattr(FolderStore, "_put", _put_carelessly)  # noqa: B010 - a guard that is switched off
    death.arm()
    asyncio.run(folder_store(folder).put(KEY, io.BytesIO(CONTENT)))


def _put_carelessly(_store: FolderStore, path: Path, content: Content) -> bool:
    """Write under the object's own name, for a negative control."""
    path.parent.mkdir(parents=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    assert isinstance(content, io.BytesIO)
    while chunk := content.read(256 * 1024):
        os.write(descriptor, chunk)
    return True


def put_beyond_a_limit(folder: Path) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        asyncio.run(folder_store(folder).put(KEY, CONTENT))
    except StorageFull:
        os._exit(FULL_EXIT_CODE)


class DeadlyFile(io.BytesIO):
    """A file during whose second reading its reader dies: the first was to measure it."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self._chunks = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._chunks += 1
        if self._chunks == 4 + 1 + 3:
            _die()
        return super().read(size)


def put_on_server(server: Server, prefix: str) -> None:
    asyncio.run(s3_store(server, prefix=prefix).put(KEY, DeadlyFile(CONTENT)))

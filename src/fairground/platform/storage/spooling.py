"""Files on the disk that have no name, so that nothing is left of them whatever happens."""

import asyncio
import tempfile
from pathlib import Path
from typing import BinaryIO

from fairground.platform.private_files import make_private_folder
from fairground.platform.storage.disk import errors_told
from fairground.platform.storage.policy import too_large
from fairground.platform.storage.store import Store


async def open_unnamed_file(folder: Path) -> BinaryIO:
    """Open a file in the folder; it is gone when it is closed."""
    return await asyncio.to_thread(_open, folder)


async def copy_object(store: Store, key: str, file: BinaryIO, *, max_bytes: int) -> None:
    """Write an object to a file.

    Raises:
        ObjectNotFound: There is none.
        UploadTooLarge: It is larger than that; nothing of it is read.
    """
    async with store.read(key) as reading:
        if reading.size_bytes > max_bytes:
            raise too_large(max_bytes)
        async for chunk in reading.chunks:
            with errors_told():
                await asyncio.to_thread(file.write, chunk)


def _open(folder: Path) -> BinaryIO:
    with errors_told():
        make_private_folder(folder)
        return tempfile.TemporaryFile(dir=folder)

"""Originals: files that were checked, scanned, and put into the store under their digest."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from fairground.modules.media.gateways import Clamd
from fairground.platform.images.admission import read_head
from fairground.platform.storage.keys import Retention, content_type_of, digest_key
from fairground.platform.storage.store import Store
from fairground.platform.storage.uploads import copy_object, open_unnamed_file

_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class StoredOriginal:
    """A file in the store, which the orphan collector leaves there for some days if no row refers to it."""

    digest: str
    key: str


class Originals:
    def __init__(self, files: Store, *, spool: Path, max_bytes: int, scanner: Clamd | None) -> None:
        """Take files of at most `max_bytes`.

        Args:
            spool: A folder on the disk, for files while they are checked.
        """
        self._files = files
        self._spool = spool
        self._max_bytes = max_bytes
        self._scanner = scanner

    async def store_uploaded(self, upload_key: str) -> StoredOriginal:
        """Store a file from quarantine. It is read once, so that the file that was checked is the one that is kept.

        Checks its size again, because some stores ignore the limit of a form.

        Raises:
            ObjectNotFound: There is no such file in quarantine.
            Invalid: It is refused.
            ScannerUnavailable: As `store` says.
        """
        with await open_unnamed_file(self._spool) as file:
            await copy_object(self._files, upload_key, file, max_bytes=self._max_bytes)
            return await self.store(file, declared_type=content_type_of(upload_key))

    async def store(self, file: BinaryIO, *, declared_type: str = "") -> StoredOriginal:
        """Check, scan and store a file.

        Raises:
            Invalid: It is refused.
            ScannerUnavailable: The scanner cannot tell whether it is harmful; nothing of it is kept.
        """
        head = await asyncio.to_thread(read_head, file, bytes_max=self._max_bytes, media_type=declared_type)
        if self._scanner is not None:
            await self._scanner.scan(file)
        digest = await asyncio.to_thread(_digest, file)
        key = digest_key(Retention.ORIGINAL, digest, content_type=head.format.media_type)
        await self._files.put(key, file)
        return StoredOriginal(digest, key)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()

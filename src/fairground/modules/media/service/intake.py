"""Whether a file that somebody brought is taken: judged by its head, and kept under its digest if it is."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from fairground.modules.media.gateways.clamd import Clamd
from fairground.platform.images.headers.admission import read_head
from fairground.platform.storage.keys import Retention, content_type_of, digest_key
from fairground.platform.storage.store import Store
from fairground.platform.storage.uploads import copy_object, open_unnamed_file

_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True)
class TakenFile:
    """A file that is in the store, where the collector leaves it for some days if nobody refers to it."""

    digest: str
    key: str


class Intake:
    def __init__(self, store: Store, *, spool: Path, max_bytes: int, scanner: Clamd | None) -> None:
        """Take files of at most `max_bytes`, which lie in a folder on the disk meanwhile."""
        self._store = store
        self._spool = spool
        self._max_bytes = max_bytes
        self._scanner = scanner

    async def take_uploaded(self, upload_key: str) -> TakenFile:
        """Take what lies in quarantine. It is read once, so that nobody changes it between judging and keeping.

        Its size is looked at again, because not every store keeps to the policy of a form.

        Raises:
            ObjectNotFound: Nothing lies there.
            Invalid: It is refused.
        """
        with await open_unnamed_file(self._spool) as file:
            await copy_object(self._store, upload_key, file, max_bytes=self._max_bytes)
            return await self.take(file, declared_type=content_type_of(upload_key))

    async def take(self, file: BinaryIO, *, declared_type: str = "") -> TakenFile:
        """Take a file.

        Raises:
            Invalid: It is refused.
            ScannerUnavailable: Nobody can say whether it is harmful; nothing is kept of it.
        """
        head = await asyncio.to_thread(read_head, file, bytes_max=self._max_bytes, media_type=declared_type)
        if self._scanner is not None:
            await self._scanner.scan(file)
        digest = await asyncio.to_thread(_digest, file)
        key = digest_key(Retention.ORIGINAL, digest, content_type=head.format.media_type)
        await self._store.put(key, file)
        return TakenFile(digest, key)


def _digest(file: BinaryIO) -> str:
    file.seek(0)
    digest = hashlib.sha256()
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()

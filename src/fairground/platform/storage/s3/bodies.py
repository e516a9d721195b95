"""What is sent with a request: nothing, bytes, or a file, which is read in threads and never held whole."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import IO, Final

from fairground.platform.storage.s3.signing import EMPTY_SHA256
from fairground.platform.storage.store import Content

_CHUNK_BYTES: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    content: Content
    size_bytes: int
    sha256: str

    async def chunks(self) -> AsyncIterator[bytes]:
        """Give the content from its beginning, as often as it is asked for."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        await asyncio.to_thread(self.content.seek, 0)
        while chunk := await asyncio.to_thread(self.content.read, _CHUNK_BYTES):
            yield chunk


NOTHING: Final = Body(b"", 0, EMPTY_SHA256)


async def body_of(content: Content) -> Body:
    """Return the content with its size and hash, which the server compares."""
    return await asyncio.to_thread(_measure, content)


def _measure(content: Content) -> Body:
    if isinstance(content, bytes):
        return Body(content, len(content), hashlib.sha256(content).hexdigest())
    return _measure_file(content)


def _measure_file(file: IO[bytes]) -> Body:
    file.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK_BYTES):
        digest.update(chunk)
        size_bytes += len(chunk)
    return Body(file, size_bytes, digest.hexdigest())

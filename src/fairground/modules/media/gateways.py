"""The gateway to ClamAV's daemon, which scans files for malware by its own protocol (man clamd: INSTREAM)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import BinaryIO, Final

import structlog

from fairground.kernel.errors import Invalid, Unavailable
from fairground.modules.media.settings import read_host_and_port

log = structlog.get_logger()

_CHUNK_BYTES: Final = 256 * 1024
_WAIT_SECONDS: Final = 30  # longer than any honest picture takes, shorter than callers wait


class PictureInfected(Invalid):
    code = "media.infected"
    hint = "Scan your device for viruses and use another picture."


class ScannerUnavailable(Unavailable):
    code = "media.scanner_unavailable"


class Clamd:
    """Opens a connection for each file: the daemon closes idle ones."""

    def __init__(self, address: str) -> None:
        """Take the daemon's `host:port`, or the path of its Unix socket."""
        self._address = address

    async def scan(self, file: BinaryIO) -> None:
        """Scan a file.

        Raises:
            PictureInfected: The scanner found malware.
            ScannerUnavailable: The daemon does not answer in time, or with neither yes nor no.
        """
        try:
            async with asyncio.timeout(_WAIT_SECONDS), self._connection() as (reader, writer):
                answer = await _send(file, reader, writer)
        except (OSError, TimeoutError) as error:
            log.warning("media.scanner_away", reason=str(error) or type(error).__name__)
            raise ScannerUnavailable("Files can't be scanned right now.") from error
        if answer.endswith(" FOUND"):
            log.warning("media.infected", found=answer.removeprefix("stream: ").removesuffix(" FOUND"))
            raise PictureInfected("The file contains a virus or other malware.")
        if answer != "stream: OK":
            log.error("media.scanner_failed", answer=answer)
            raise ScannerUnavailable("The file could not be scanned.")

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self._address.startswith("/"):
            reader, writer = await asyncio.open_unix_connection(self._address)
        else:
            reader, writer = await asyncio.open_connection(*read_host_and_port(self._address))
        try:
            yield reader, writer
        finally:
            writer.close()


async def _send(file: BinaryIO, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    """Send a file in pieces, each behind its length, and return the answer."""
    file.seek(0)
    writer.write(b"zINSTREAM\0")
    try:
        while chunk := await asyncio.to_thread(file.read, _CHUNK_BYTES):
            writer.write(len(chunk).to_bytes(4) + chunk)
            await writer.drain()
        writer.write(bytes(4))
        await writer.drain()
    except ConnectionError:
        # The daemon answers and closes when a file is larger than its StreamMaxLength.
        pass
    return (await reader.read()).rstrip(b"\0").decode(errors="replace")

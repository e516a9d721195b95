"""The store in a folder. A file appears as a whole, and is flushed to the disk before `put` returns."""

import asyncio
import contextlib
import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from fairground.kernel.ids import uuid7
from fairground.kernel.zones import Clock
from fairground.platform.storage.keys import Retention, check_key, is_key
from fairground.platform.storage.signed_urls import UploadForm, UrlSigner
from fairground.platform.storage.store import (
    Content,
    ObjectContent,
    ObjectNotFound,
    Span,
    SpanInvalid,
    StorageUnavailable,
    StoredObject,
    disk_errors,
)

_CHUNK_BYTES: Final = 256 * 1024
_SECRET_BYTES: Final = 32


class FolderStore:
    """All objects below one folder, which several processes and hosts may share.

    A new object is written to a file of another name, flushed, and then linked under its own name, which fails if
    that is taken. Names that begin with a dot are no keys; they are the store's own files.
    """

    def __init__(self, root: Path, *, clock: Clock) -> None:
        self._root = root
        self._unfinished = root / ".unfinished"
        self._durable: set[Path] = set()  # folders whose names survive a power cut
        self._clock = clock
        self.signer = UrlSigner(self._read_secret, clock=clock)
        self.upload_origin: str | None = None

    async def put(self, key: str, content: Content) -> bool:
        return await asyncio.to_thread(self._put, self._path_of(key), content)

    @asynccontextmanager
    async def read(self, key: str, *, span: Span | None = None) -> AsyncIterator[ObjectContent]:
        path = self._path_of(key)
        with disk_errors():
            descriptor, size_bytes = await _open(path)
        try:
            first, end = _bounds(size_bytes, span)
            yield ObjectContent(size_bytes=end - first, chunks=_chunks(descriptor, first, end))
        finally:
            os.close(descriptor)

    async def head(self, key: str) -> StoredObject:
        return await asyncio.to_thread(self._stat, key)

    async def delete(self, key: str) -> None:
        await asyncio.to_thread(self._delete, self._path_of(key))

    async def discard(self, key: str, *, stored_before: datetime) -> bool:
        return await asyncio.to_thread(self._discard, key, stored_before)

    async def list_objects(self, retention: Retention) -> AsyncIterator[StoredObject]:
        folders = [self._root / retention]
        while folders:
            folder = folders.pop()
            files, below = await asyncio.to_thread(self._list_folder, folder)
            for stored in files:
                yield stored
            folders += below

    async def drop_unfinished(self, *, begun_before: datetime) -> int:
        return await asyncio.to_thread(self._drop_unfinished, begun_before.timestamp())

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        with disk_errors():
            return self.signer.sign_read(key, lifetime=lifetime)

    def offer_upload(self, key: str, *, max_bytes: int, lifetime: timedelta) -> UploadForm:
        with disk_errors():
            return self.signer.offer_upload(key, max_bytes=max_bytes, lifetime=lifetime)

    async def close(self) -> None:
        pass

    def _path_of(self, key: str) -> Path:
        return self._root / check_key(key)

    def _put(self, path: Path, content: Content) -> bool:
        with disk_errors(), self._durable_file(content) as unfinished:
            self._make_folder(path.parent)
            while True:
                try:
                    os.link(unfinished, path)
                    is_new = True
                except FileExistsError:
                    if not self._touch(path):
                        continue
                    is_new = False
                # Also after another writer: it may not have flushed the folder yet.
                _flush_folder(path.parent)
                return is_new

    @contextlib.contextmanager
    def _durable_file(self, content: Content) -> Iterator[Path]:
        """Yield a file outside of all keys that contains the content durably, and remove its name afterwards."""
        self._make_folder(self._unfinished)
        path = self._unfinished / str(uuid7())
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                for chunk in _pieces(content):
                    _write_whole(file.fileno(), chunk)
                os.fsync(file.fileno())
            yield path
        finally:
            path.unlink(missing_ok=True)

    def _touch(self, path: Path) -> bool:
        """Make an object count as stored just now. Return False if it is gone."""
        with self._locked():
            try:
                os.utime(path)
            except FileNotFoundError:
                return False
            return True

    def _discard(self, key: str, stored_before: datetime) -> bool:
        path = self._path_of(key)
        # A `put` of the same content must not find the object and then lose it.
        with disk_errors(), self._locked():
            try:
                if path.stat().st_mtime >= stored_before.timestamp():
                    return False
            except FileNotFoundError:
                return False
            path.unlink(missing_ok=True)
            return True

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other processes from touching or discarding objects during the block."""
        descriptor = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _stat(self, key: str) -> StoredObject:
        path = self._path_of(key)
        with disk_errors():
            try:
                return _stored(key, path.stat())
            except FileNotFoundError:
                raise _not_found() from None

    def _delete(self, path: Path) -> None:
        with disk_errors():
            path.unlink(missing_ok=True)

    def _list_folder(self, folder: Path) -> tuple[list[StoredObject], list[Path]]:
        """Return the objects in a folder, and the folders below it."""
        files: list[StoredObject] = []
        below: list[Path] = []
        with disk_errors(), contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(Path(entry.path))
                elif is_key(key := str(Path(entry.path).relative_to(self._root))):
                    # It may have been removed since the folder was read.
                    with contextlib.suppress(FileNotFoundError):
                        files.append(_stored(key, entry.stat()))
        return files, below

    def _drop_unfinished(self, begun_before: float) -> int:
        dropped = 0
        with disk_errors(), contextlib.suppress(FileNotFoundError), os.scandir(self._unfinished) as entries:
            for entry in entries:
                with contextlib.suppress(FileNotFoundError):
                    if entry.stat().st_mtime < begun_before:
                        Path(entry.path).unlink()
                        dropped += 1
        return dropped

    def _read_secret(self) -> bytes:
        """Return the key of signatures, which is stored beside the objects for all processes that share them."""
        path = self._root / ".secret"
        if not path.exists():
            with (
                self._durable_file(secrets.token_bytes(_SECRET_BYTES)) as unfinished,
                contextlib.suppress(FileExistsError),
            ):
                os.link(unfinished, path)
        return path.read_bytes()

    def _make_folder(self, folder: Path) -> None:
        # Folders above the root belong to the operator, and need not be readable.
        is_durable = folder in self._durable or self._root not in folder.parents
        if is_durable and folder.is_dir():
            return
        self._make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        # Also if it exists: its creator may have died before the flush.
        _flush_folder(folder.parent)
        self._durable.add(folder)


async def _open(path: Path) -> tuple[int, int]:
    """Return a descriptor of a file, and its size in bytes."""
    opening = asyncio.get_running_loop().run_in_executor(None, _open_file, path)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        # The thread cannot be cancelled, and no reader is left to close its file.
        opening.add_done_callback(_close_unread)
        raise


def _close_unread(opening: asyncio.Future[tuple[int, int]]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        os.close(opening.result()[0])


def _open_file(path: Path) -> tuple[int, int]:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        raise _not_found() from None
    return descriptor, os.fstat(descriptor).st_size


def _not_found() -> ObjectNotFound:
    return ObjectNotFound("The file does not exist.")


def _bounds(size_bytes: int, span: Span | None) -> tuple[int, int]:
    """Return the first position to read and the position behind the last."""
    if span is None:
        return 0, size_bytes
    if span.first >= size_bytes:
        raise SpanInvalid(f"The object has {size_bytes} bytes, and byte {span.first} was asked for.")
    return span.first, size_bytes if span.last is None else min(span.last + 1, size_bytes)


async def _chunks(descriptor: int, first: int, end: int) -> AsyncIterator[bytes]:
    while first < end:
        with disk_errors():
            chunk = await asyncio.to_thread(os.pread, descriptor, min(_CHUNK_BYTES, end - first), first)
        if not chunk:
            raise StorageUnavailable("A stored file changed while it was read.")
        first += len(chunk)
        yield chunk


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    content.seek(0)
    while chunk := content.read(_CHUNK_BYTES):
        yield chunk


def _write_whole(descriptor: int, chunk: bytes) -> None:
    rest = memoryview(chunk)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _stored(key: str, found: os.stat_result) -> StoredObject:
    stored_at = datetime.fromtimestamp(found.st_mtime, tz=UTC)
    return StoredObject(key=key, size_bytes=found.st_size, stored_at=stored_at)


def _flush_folder(folder: Path) -> None:
    """Make a new name in the folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The port of object stores: their operations and errors."""

import contextlib
import errno
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Final, Protocol

from fairground.kernel.errors import Invalid, NotFound, Unavailable
from fairground.platform.storage.keys import Retention
from fairground.platform.storage.signed_urls import UploadForm, UrlSigner

Content = bytes | IO[bytes]
"""The content of an object: bytes, or a file on disk that is read from its beginning."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


class ObjectNotFound(NotFound):
    code = "storage.not_found"


class SpanInvalid(Invalid):
    """The object ends before the asked-for bytes begin."""

    code = "storage.span_invalid"


class StorageUnavailable(Unavailable):
    """The store did not answer, or not in time."""

    code = "storage.unavailable"


class StorageRefused(Unavailable):
    """The store refuses access: wrong credentials, no such bucket, or no right to a folder."""

    code = "storage.refused"
    hint = "Try again later. Operators can run: fairground storage check"


class StorageFull(Unavailable):
    code = "storage.full"
    hint = "Try again later. The operator needs to free space or raise a quota."


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Raise errors of a disk as those of the port. They name no path, because visitors read them too."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"The storage folder is full: {error.strerror}.") from error
        kind = StorageRefused if error.errno in _REFUSED else StorageUnavailable
        raise kind(f"The storage folder can't be used: {error.strerror}.") from error


@dataclass(frozen=True, slots=True)
class StoredObject:
    key: str
    size_bytes: int
    stored_at: datetime
    """When it was put, or put once more."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an object: from its byte `first`, counted from 0, to `last`, which is part of it; None is the end."""

    first: int
    last: int | None = None


@dataclass(frozen=True, slots=True)
class ObjectContent:
    """An object, or a part of one, as it is read. The chunks can be taken once."""

    size_bytes: int
    """Of all chunks together."""
    chunks: AsyncIterator[bytes]


class Store(Protocol):
    """Objects by key. Each is written once and whole, and is never changed.

    Every method that goes to the store raises StorageUnavailable, StorageRefused or StorageFull, and KeyInvalid for
    what is no key.
    """

    signer: UrlSigner
    """Signs and checks addresses and upload forms of this server's own routes."""
    upload_origin: str | None
    """The server to which upload forms are posted, as scheme, host and port; None where it is this one."""

    async def put(self, key: str, content: Content) -> bool:
        """Store the content durably, unless there is an object under the key.

        Return False if there was one: it stays unchanged and counts as stored just now. A writer whose answer was lost
        may get False for its own object.
        """
        ...

    def read(self, key: str, *, span: Span | None = None) -> AbstractAsyncContextManager[ObjectContent]:
        """Read an object, or a part of it, for as long as the block runs.

        Raises:
            ObjectNotFound: There is none.
            SpanInvalid: It ends before the span begins.
        """
        ...

    async def head(self, key: str) -> StoredObject:
        """Return what is stored under the key.

        Raises:
            ObjectNotFound: There is none.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        ...

    async def discard(self, key: str, *, stored_before: datetime) -> bool:
        """Remove an object, and return True, unless it was put, or put once more, at this instant or later."""
        ...

    def list_objects(self, retention: Retention) -> AsyncIterator[StoredObject]:
        """List the objects of a class, in no particular order; names that are no keys are left out.

        Objects that are put or removed meanwhile may or may not be in the list.
        """
        ...

    async def drop_unfinished(self, *, begun_before: datetime) -> int:
        """Remove the unfinished files of writers that died, and return their number."""
        ...

    def sign_read(self, key: str, *, lifetime: timedelta) -> str:
        """Return a URL that reads the object without credentials, for a lifetime of at most seven days."""
        ...

    def offer_upload(self, key: str, *, max_bytes: int, lifetime: timedelta) -> UploadForm:
        """Return a form that puts one file of 1 to `max_bytes` bytes under this key, in quarantine.

        The type follows from the suffix of the key; the content is not checked yet. An S3 server may let a second file
        replace the first until the form expires: read the file once, and keep what was read.
        """
        ...

    async def close(self) -> None:
        """Close connections."""
        ...

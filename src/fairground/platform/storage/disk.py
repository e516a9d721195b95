"""What a disk says when it cannot do what it should, in the words of the port."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Final

from fairground.platform.storage.store import StorageFull, StorageRefused, StorageUnavailable

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_REFUSED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextlib.contextmanager
def errors_told() -> Iterator[None]:
    """Say what went wrong, without where files lie, because visitors read it, too."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull(f"The storage folder takes no more: {error.strerror}.") from error
        kind = StorageRefused if error.errno in _REFUSED else StorageUnavailable
        raise kind(f"The storage folder cannot be used: {error.strerror}.") from error

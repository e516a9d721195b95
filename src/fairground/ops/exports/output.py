"""The file of an export: there whole, or not at all."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from fairground.platform.private_files import open_private_file

STANDARD_OUTPUT: Final = Path("-")
_ENDINGS: Final = {".jsonl", ".ndjson"}


class ExportRefused(ValueError):
    """The file cannot be written; the message says what to change."""


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside the path that takes its name when the block ends normally; "-" is standard output.

    Raises:
        ExportRefused: The path is taken, has another ending than the importer reads, or cannot be written.
    """
    if path == STANDARD_OUTPUT:
        with _refused(path):
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        return
    _check(path)
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with _refused(path):
        try:
            with os.fdopen(open_private_file(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL), "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
        finally:
            partial.unlink(missing_ok=True)
        _sync_folder(path.parent)


def _check(path: Path) -> None:
    if path.suffix.lower() not in _ENDINGS:
        raise ExportRefused(f"{path} ends in '{path.suffix}'. Use a name that ends in .jsonl.")
    if path.exists():
        raise ExportRefused(f"{path} already exists. Choose another file name.")
    if not path.parent.is_dir():
        raise ExportRefused(f"The folder {path.parent} does not exist. Create it, or choose another one.")


@contextmanager
def _refused(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = str(path)
        if path == STANDARD_OUTPUT:
            where = "standard output"
            # Python flushes once more when it exits, and would report the same error.
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        raise ExportRefused(
            f"Can't write {where}: {error.strerror}. Choose a writable place with room for all providers and their "
            "pictures."
        ) from None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""The records of an import's file, whatever its format, and the file of those that were rejected."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

_SHOWN_MAX: Final = 40  # characters of a column's name in a message
_COLUMNS_SHOWN_MAX: Final = 30


class ImportRefused(ValueError):
    """The whole import is refused; the message says what to change."""


@dataclass
class RowFault(Exception):
    """Why a row was rejected, and how to correct it."""

    column: str
    reason: str
    hint: str


@dataclass(frozen=True)
class Record:
    line: int
    """The physical line on which it starts, counted from 1."""
    raw: bytes
    """The record as the file has it, with its line ends; in UTF-8, whatever the encoding of the file."""
    fields: dict[str, str] = field(default_factory=dict)
    fault: RowFault | None = None
    """Why it could not be read."""


@dataclass(frozen=True)
class Source:
    """An opened file."""

    columns: list[str] | None
    """The names in the header, without nameless columns; None where each record names its own."""
    header: bytes
    """What a file of some of its records must begin with, and `footer` what it must end with."""
    footer: bytes
    separator: bytes
    records: Iterator[Record]


class RejectFile:
    """Written beside the import's file as `<name>.rejected<suffix>`, and only when a row is rejected."""

    def __init__(self, path: Path, source: Source) -> None:
        self.path = path.with_name(f"{path.stem}.rejected{path.suffix}")
        self._source = source
        self._file: IO[bytes] | None = None

    def add(self, record: Record) -> None:
        if self._file is None:
            self._file = self._open()
            self._file.write(self._source.header)
        else:
            self._file.write(self._source.separator)
        self._file.write(record.raw)
        if not self._source.separator and not record.raw.endswith(b"\n"):
            self._file.write(b"\n")

    def _open(self) -> IO[bytes]:
        try:
            return self.path.open("wb")
        except OSError as error:
            raise ImportRefused(
                f"{self.path} (for rejected rows) can't be written: {error.strerror}."
                " Copy the file into a folder that you can write to and import it there. Rows imported so far are kept."
            ) from None

    def close(self) -> Path | None:
        """Finish the file; return where it is, or None when nothing was rejected."""
        if self._file is None:
            return None
        self._file.write(self._source.footer)
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return self.path


def show_column(name: str) -> str:
    """Return the name of a column for a message: cut, and with what cannot be printed as an escape."""
    short = name if len(name) <= _SHOWN_MAX else f"{name[: _SHOWN_MAX - 1]}…"
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in short)


def show_columns(names: Sequence[str]) -> str:
    """Return the names of columns for a message, the first of them where there are many."""
    more = len(names) - _COLUMNS_SHOWN_MAX
    shown = ", ".join(show_column(name) for name in names[:_COLUMNS_SHOWN_MAX])
    return f"{shown} and {more} more" if more > 0 else shown


def describe(record: Record, fault: RowFault) -> str:
    where = f"line {record.line}" + (f", {show_column(fault.column)}" if fault.column else "")
    return f"{where}: {fault.reason}; {fault.hint}."

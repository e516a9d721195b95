"""Read a file record by record, whatever its form, and know on which physical line each record starts."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from fairground.ops.importing.faults import ImportRefused, RowFault

_CHUNK_BYTES: Final = 1024 * 1024
_RECORD_MAX_BYTES: Final = 64 * 1024 * 1024  # pictures may stand in it; what is larger is not what it says
_WHITESPACE: Final = b" \t\r\n"


@dataclass(frozen=True)
class Record:
    line: int
    """The physical line on which it starts, counted from 1."""
    raw: bytes
    """The record as it stands in the file, its line ends included."""
    fields: dict[str, str] = field(default_factory=dict)
    fault: RowFault | None = None
    """Why it could not even be read."""


@dataclass(frozen=True)
class Source:
    """An opened file."""

    columns: list[str] | None
    """The names in the header; None where every record names its own."""
    header: bytes
    """What a file of some of its records must begin with, and `footer` what it must end with."""
    footer: bytes
    separator: bytes
    records: Iterator[Record]


def open_source(path: Path, file: IO[bytes]) -> Source:
    """Choose the reader by the file's name.

    Raises:
        ImportRefused: It is none of CSV, JSON Lines and JSON, or has no header.
    """
    readers: dict[str, Callable[[IO[bytes]], Source]] = {
        ".csv": _open_csv,
        ".jsonl": _open_json_lines,
        ".ndjson": _open_json_lines,
        ".json": _open_json,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ImportRefused(f"{path} ends in '{path.suffix}'; name it .csv, .jsonl or .json after what is in it.")
    return reader(file)


class _Lines:
    """Hands lines to the CSV reader and keeps those that the current record is made of."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0
        self.taken: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.count += 1
            self.taken.append(line)
            # A byte that is not UTF-8 is carried as a surrogate, so that only its own record is refused.
            yield line.decode("utf-8-sig" if self.count == 1 else "utf-8", errors="surrogateescape")

    def take(self) -> bytes:
        raw = b"".join(self.taken)
        self.taken.clear()
        return raw


def _open_csv(file: IO[bytes]) -> Source:
    lines = _Lines(file)
    csv.field_size_limit(_RECORD_MAX_BYTES)
    reader = csv.reader(lines, strict=True)
    try:
        columns = next(reader)
    except StopIteration:
        raise ImportRefused("The file is empty; its first line must name the columns.") from None
    except csv.Error as error:
        raise ImportRefused(f"The header cannot be read: {error}. Quote names as CSV does.") from None
    doubled = {name for name in columns if columns.count(name) > 1}
    if doubled:
        raise ImportRefused(f"The header names {min(doubled)!r} twice; give each column its own name.")
    return Source(columns, lines.take(), b"", b"", _csv_records(reader, lines, columns))


def _csv_records(reader: Iterator[list[str]], lines: _Lines, columns: list[str]) -> Iterator[Record]:
    while True:
        start = lines.count + 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            fault = RowFault("", f"this is not CSV: {error}", "close every quote, and double a quote inside quotes")
            yield Record(start, lines.take(), fault=fault)
            continue
        raw = lines.take()
        if values:
            yield _csv_record(start, raw, columns, values)


def _csv_record(line: int, raw: bytes, columns: list[str], values: list[str]) -> Record:
    if len(values) != len(columns):
        reason = f"{len(values)} values, but the header names {len(columns)} columns"
        return Record(line, raw, fault=RowFault("", reason, "quote values that hold commas, and leave none out"))
    for name, value in zip(columns, values, strict=True):
        if not value.isascii() and any("\udc80" <= letter <= "\udcff" for letter in value):
            return Record(line, raw, fault=RowFault(name, "this is not UTF-8", "save the file as UTF-8"))
    return Record(line, raw, dict(zip(columns, values, strict=True)))


def _open_json_lines(file: IO[bytes]) -> Source:
    def records() -> Iterator[Record]:
        for number, raw in enumerate(file, start=1):
            text = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
            if text.strip():
                yield _json_record(number, raw, text)

    return Source(None, b"", b"", b"", records())


def _json_record(line: int, raw: bytes, text: bytes) -> Record:
    try:
        value = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        return Record(line, raw, fault=RowFault("", "this is not UTF-8", "save the file as UTF-8"))
    except (ValueError, RecursionError) as error:
        return Record(line, raw, fault=RowFault("", f"this is not JSON: {error}", "write one JSON object"))
    if not isinstance(value, dict):
        return Record(line, raw, fault=RowFault("", f"a {type(value).__name__}", "write one JSON object"))
    return Record(line, raw, {str(name): _as_text(entry) for name, entry in value.items()})


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return ",".join(_as_text(entry) for entry in value)
    return json.dumps(value)


def _open_json(file: IO[bytes]) -> Source:
    return Source(None, b"[\n", b"\n]\n", b",\n", _json_array(file))


def _json_array(file: IO[bytes]) -> Iterator[Record]:
    """Cut a JSON array into its objects without holding more than one of them."""
    scanner = _ArrayScanner(file)
    scanner.expect(b"[", "the file must hold one JSON array of objects")
    if scanner.peek() == b"]":
        return
    while True:
        line, raw = scanner.take_value()
        yield _json_record(line, raw, raw)
        if scanner.peek() == b"]":
            return
        scanner.expect(b",", "put a comma between the objects and a ] at the end")


class _ArrayScanner:
    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._buffer = file.read(_CHUNK_BYTES).removeprefix(b"\xef\xbb\xbf")
        self._at = 0
        self._line = 1

    def _byte(self) -> bytes:
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._file.read(_CHUNK_BYTES), 0
        return self._buffer[self._at : self._at + 1]

    def _next(self) -> bytes:
        byte = self._byte()
        self._at += 1
        if byte == b"\n":
            self._line += 1
        return byte

    def peek(self) -> bytes:
        """Return the next byte that is no white space; nothing at the end of the file."""
        while (byte := self._byte()) and byte in _WHITESPACE:
            self._next()
        return byte

    def expect(self, byte: bytes, mend: str) -> None:
        found = self.peek()
        if found != byte:
            what = repr(found.decode("utf-8", "replace")) if found else "the end of the file"
            raise ImportRefused(f"Line {self._line} has {what} where {byte.decode()!r} belongs; {mend}.")
        self._next()

    def take_value(self) -> tuple[int, bytes]:
        """Return the line and the bytes of the next value: up to the comma or bracket outside strings and nesting."""
        self.peek()
        line, raw, depth, in_string, escaped = self._line, bytearray(), 0, False, False
        while byte := self._byte():
            if in_string:
                in_string, escaped = (escaped or byte != b'"'), (byte == b"\\" and not escaped)
            elif byte == b'"':
                in_string = True
            elif byte in b"{[":
                depth += 1
            elif depth == 0 and byte in b",]":
                break
            elif byte in b"}]":
                depth -= 1
            raw += self._next()
            if len(raw) > _RECORD_MAX_BYTES:
                raise ImportRefused(f"The object on line {line} is larger than 64 MiB; is a quote or bracket missing?")
        return line, bytes(raw)

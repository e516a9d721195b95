"""The formats of an import's file: JSON Lines and JSON here, CSV in `spreadsheets`. Each record knows its line."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, Final

from fairground.ops.imports.encodings import RECORD_MAX_BYTES, UTF8_MARK, Chunks
from fairground.ops.imports.records import ImportRefused, Record, RowFault, Source
from fairground.ops.imports.spreadsheets import open_table

_WHITESPACE: Final = b" \t\r\n"


def open_source(
    path: Path, file: IO[bytes], *, encoding: str = "", delimiter: str = "", map_columns: Collection[str] = ()
) -> Source:
    """Open a file with the reader of its suffix.

    Args:
        encoding: Where the file has no byte order mark; "" finds UTF-8 and UTF-16.
        delimiter: Between the columns of a CSV file; "" finds it.
        map_columns: The columns that the map names.

    Raises:
        ImportRefused: It is none of CSV, JSON Lines and JSON, is no text, or has no header.
    """
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".jsonl", ".ndjson", ".json"}:
        raise ImportRefused(f"{path} ends in '{path.suffix}'. Use .csv, .jsonl or .json, depending on its content.")
    chunks = Chunks(file, path=path, encoding=encoding)
    if suffix == ".csv":
        return open_table(chunks, delimiter=delimiter, map_columns=map_columns)
    return open_json(chunks) if suffix == ".json" else open_json_lines(chunks)


def open_json_lines(chunks: Chunks) -> Source:
    def records() -> Iterator[Record]:
        for number, raw in enumerate(chunks.lines(), start=1):
            text = raw.removeprefix(UTF8_MARK) if number == 1 else raw
            if text.strip():
                yield read_json_line(number, raw, text)

    return Source(None, b"", b"", b"", records())


def read_json_line(line: int, raw: bytes, text: bytes | None = None) -> Record:
    """Read one object.

    Args:
        text: `raw` without a byte order mark, where it may have one.
    """
    text = raw if text is None else text
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


def open_json(chunks: Chunks) -> Source:
    return Source(None, b"[\n", b"\n]\n", b",\n", _json_array(chunks))


def _json_array(chunks: Chunks) -> Iterator[Record]:
    """Cut a JSON array into its objects without holding more than one of them."""
    scanner = _ArrayScanner(chunks)
    scanner.expect(b"[", "the file must hold one JSON array of objects")
    if scanner.peek() == b"]":
        return
    while True:
        line, raw = scanner.take_value()
        yield read_json_line(line, raw, raw)
        if scanner.peek() == b"]":
            return
        scanner.expect(b",", "put a comma between the objects and a ] at the end")


class _ArrayScanner:
    def __init__(self, chunks: Chunks) -> None:
        self._chunks = chunks
        self._buffer = chunks.read().removeprefix(UTF8_MARK)
        self._at = 0
        self._line = 1

    def _byte(self) -> bytes:
        if self._at >= len(self._buffer):
            self._buffer, self._at = self._chunks.read(), 0
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

    def expect(self, byte: bytes, hint: str) -> None:
        found = self.peek()
        if found != byte:
            what = repr(found.decode("utf-8", "replace")) if found else "the end of the file"
            raise ImportRefused(f"Line {self._line} has {what} where {byte.decode()!r} belongs; {hint}.")
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
            if len(raw) > RECORD_MAX_BYTES:
                raise ImportRefused(
                    f"The object on line {line} is larger than 64 MiB. Check for a missing quote or bracket."
                )
        return line, bytes(raw)

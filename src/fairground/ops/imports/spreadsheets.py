"""CSV as spreadsheets write it: any divider, a header behind empty lines, and rows and columns without values."""

import csv
import re
from collections.abc import Collection, Iterator
from typing import Final

from fairground.ops.imports.encodings import RECORD_MAX_BYTES, UTF8_MARK, Chunks
from fairground.ops.imports.records import ImportRefused, Record, RowFault, Source, show_column

_DIVIDERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# Excel's own line, which says the divider, before the header.
_SAID: Final = re.compile(rb'(?:\xef\xbb\xbf)?"?sep=(.)"?\s*', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
_HEADER_MAX_BYTES: Final = 64 * 1024
_ENCODINGS: Final = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "windows-1252": "Windows-1252"}


def open_table(chunks: Chunks, *, delimiter: str = "", map_columns: Collection[str] = ()) -> Source:
    """Read the header of a file of rows.

    Args:
        delimiter: As the map says; it wins over what the file says. "" finds it.
        map_columns: The columns that the map names; they decide where a header can be divided in two ways.

    Raises:
        ImportRefused: There is no header, it is no text, or it can be read in more than one way.
    """
    lines = _Lines(chunks)
    csv.field_size_limit(RECORD_MAX_BYTES)
    said_by_file = lines.take_said_divider()
    said = delimiter or said_by_file
    head = lines.ahead()
    if not _is_text(head) and not _has_columns(head, map_columns, dividers=[said] if said else list(_DIVIDERS)):
        raise ImportRefused(_not_text(_ENCODINGS[chunks.encoding]))
    divider = said or _divider_of(head, map_columns=map_columns)
    reader = csv.reader(lines, delimiter=divider, strict=True)
    try:
        columns = next(values for values in reader if any(map(str.strip, values)))
    except StopIteration:
        raise ImportRefused("The file is empty. Its first line must contain the column names.") from None
    except csv.Error as error:
        raise ImportRefused(f"Can't read the header: {error}. Quote column names as in CSV.") from None
    columns = [name.strip() for name in columns]
    _refuse_doubled(columns)
    table = _Table(columns, divider=divider, encoding=chunks.encoding)
    return Source([name for name in columns if name], lines.take(), b"", b"", table.records(reader, lines))


class _Lines:
    """Hands lines to the CSV reader and keeps those that the current record is made of."""

    def __init__(self, chunks: Chunks) -> None:
        self._lines = chunks.lines()
        self._ahead: list[bytes] = []
        self.count = 0
        self.taken: list[bytes] = []

    def ahead(self) -> str:
        """Return the lines of the header, and perhaps more, without taking them."""
        held_bytes = sum(map(len, self._ahead))
        while held_bytes < _HEADER_MAX_BYTES and (line := next(self._lines, b"")):
            self._ahead.append(line)
            held_bytes += len(line)
        return b"".join(self._ahead).decode("utf-8", errors="surrogateescape").removeprefix("\ufeff")

    def take_said_divider(self) -> str | None:
        self.ahead()
        said = _SAID.fullmatch(self._ahead[0]) if self._ahead else None
        if said is None:
            return None
        self._take(self._ahead.pop(0))
        return said[1].decode("latin-1")

    def __iter__(self) -> Iterator[str]:
        while line := self._ahead.pop(0) if self._ahead else next(self._lines, b""):
            self._take(line)
            text = line.removeprefix(UTF8_MARK) if self.count == 1 else line
            # A byte that is not UTF-8 is carried as a surrogate, so that only its own record is refused.
            yield text.decode("utf-8", errors="surrogateescape")

    def _take(self, line: bytes) -> None:
        self.count += 1
        self.taken.append(line)

    def take(self) -> bytes:
        raw = b"".join(self.taken)
        self.taken.clear()
        return raw


def _is_text(head: str) -> bool:
    """Tell whether the first line is in the encoding of the file, and no zero byte is near it."""
    first = next((line for line in re.split("[\r\n]+", head) if line.strip()), "")
    return "\0" not in head and not _has_foreign_bytes(first)


def _has_foreign_bytes(text: str) -> bool:
    return not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text)


def _has_columns(head: str, map_columns: Collection[str], *, dividers: list[str]) -> bool:
    return any(set(map_columns) <= set(_columns(head, divider=divider)) for divider in dividers)


def _not_text(encoding: str) -> str:
    advice = "Save the file as CSV in UTF-8"
    if encoding == "UTF-8":
        advice += ', or add encoding = "windows-1252" at the top of the map if that is its encoding'
    return f"The header is not text in {encoding}. {advice}."


def _divider_of(head: str, *, map_columns: Collection[str]) -> str:
    first = next((line for line in _QUOTED.sub('""', head).splitlines() if line.strip(" \t,;|")), "")
    found = [divider for divider in _DIVIDERS if divider in first]
    if len(found) < 2:  # noqa: PLR2004 - nothing to choose between
        return found[0] if found else ","
    fitting = [divider for divider in found if map_columns and set(map_columns) <= set(_columns(head, divider=divider))]
    if len(fitting) == 1:
        return fitting[0]
    raise ImportRefused(
        f"The header has {' and '.join(_DIVIDERS[divider] for divider in found)}, and either could be the separator."
        f' Add a line sep={found[0]} before it, or quote (") names that contain such a character.'
    )


def _columns(head: str, *, divider: str) -> list[str]:
    rows = csv.reader(head.splitlines(keepends=True), delimiter=divider)
    try:
        return [name.strip() for name in next(values for values in rows if any(map(str.strip, values)))]
    except (StopIteration, csv.Error):
        return []


def _refuse_doubled(columns: list[str]) -> None:
    for name in columns:
        places = [str(number) for number, other in enumerate(columns, start=1) if other == name]
        if name and len(places) > 1:
            raise ImportRefused(
                f"The header has '{show_column(name)}' in columns {' and '.join(places)}. Give each column a unique "
                "name."
            )


class _Table:
    def __init__(self, columns: list[str], *, divider: str, encoding: str) -> None:
        self._columns = columns
        self._divider = divider
        self._encoding = _ENCODINGS[encoding]
        self._least = max(number for number, name in enumerate(columns, start=1) if name)
        """Values that a row must have: the last columns may be nameless, and then need not be there."""

    def records(self, reader: Iterator[list[str]], lines: _Lines) -> Iterator[Record]:
        while True:
            start = lines.count + 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                fault = RowFault(
                    "", f"this is not valid CSV: {error}", "close every quote, and double a quote inside quotes"
                )
                yield Record(start, lines.take(), fault=fault)
                continue
            raw = lines.take()
            if any(value and not value.isspace() for value in values):
                yield self._record(start, raw, values)

    def _record(self, line: int, raw: bytes, values: list[str]) -> Record:
        width = len(self._columns)
        if len(values) < self._least or any(map(str.strip, values[width:])):
            reason = f"{len(values)} values, but the header has {self._least} columns"
            hint = (
                f"quote values that contain {_DIVIDERS.get(self._divider, repr(self._divider))}, and fill every column"
            )
            return Record(line, raw, fault=RowFault("", reason, hint))
        fields = {name: value for name, value in zip(self._columns, values, strict=False) if name}
        for name, value in fields.items():
            if _has_foreign_bytes(value):
                return Record(line, raw, fault=RowFault(name, *self._foreign_bytes()))
        return Record(line, raw, fields)

    def _foreign_bytes(self) -> tuple[str, str]:
        if self._encoding != "UTF-8":
            return f"this is not {self._encoding}", "save the file as UTF-8"
        return (
            "this is not UTF-8",
            'save the file as UTF-8, or add encoding = "windows-1252" at the top of the map if that is its encoding',
        )

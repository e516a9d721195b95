"""What a file of an import is made of, whatever its form."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from fairground.ops.imports.faults import RowFault


@dataclass(frozen=True)
class Record:
    line: int
    """The physical line on which it starts, counted from 1."""
    raw: bytes
    """The record as it stands in the file, its line ends included; in UTF-8, whatever the file is in."""
    fields: dict[str, str] = field(default_factory=dict)
    fault: RowFault | None = None
    """Why it could not even be read."""


@dataclass(frozen=True)
class Source:
    """An opened file."""

    columns: list[str] | None
    """The names in the header, without its nameless columns; None where every record names its own."""
    header: bytes
    """What a file of some of its records must begin with, and `footer` what it must end with."""
    footer: bytes
    separator: bytes
    records: Iterator[Record]

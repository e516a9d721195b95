"""Rejected rows are in a file that can be imported again."""

import io
from pathlib import Path

import pytest

from fairground.ops.imports.formats import open_source
from fairground.ops.imports.records import ImportRefused, Record, RejectFile, RowFault, describe


def rejects_of(path: Path, content: bytes) -> tuple[RejectFile, list[Record]]:
    source = open_source(path, io.BytesIO(content))
    return RejectFile(path, source), list(source.records)


def test_without_a_rejected_row_there_is_no_file(tmp_path: Path) -> None:
    rejects, _ = rejects_of(tmp_path / "a.csv", b"id\n1\n")
    assert rejects.close() is None
    assert not list(tmp_path.iterdir())


def test_a_last_row_without_a_line_end_gets_one(tmp_path: Path) -> None:
    rejects, records = rejects_of(tmp_path / "a.csv", b"id,name\n1,x\n2,y")
    for record in reversed(records):
        rejects.add(record)
    path = rejects.close()
    assert path is not None
    assert path.read_bytes() == b"id,name\n2,y\n1,x\n"


def test_rejected_objects_are_an_array_again(tmp_path: Path) -> None:
    rejects, records = rejects_of(tmp_path / "a.json", b'[{"id": 1}, {"id": 2},\n {"id": 3}]')
    for record in records[:2]:
        rejects.add(record)
    path = rejects.close()
    assert path is not None
    assert path.read_bytes() == b'[\n{"id": 1},\n{"id": 2}\n]\n'


def test_a_folder_that_cannot_hold_the_rejected_rows_is_named(tmp_path: Path) -> None:
    rejects, records = rejects_of(tmp_path / "none" / "a.csv", b"id\n1\n")
    with pytest.raises(ImportRefused, match=r"a\.rejected\.csv \(for rejected rows\) can't be written"):
        rejects.add(records[0])


def test_a_fault_names_line_column_reason_and_hint() -> None:
    fault = RowFault("price", "'a lot' is not a number", "write it like 1250")
    assert describe(Record(7, b""), fault) == "line 7, price: 'a lot' is not a number; write it like 1250."
    assert describe(Record(7, b""), RowFault("", "this is not CSV", "close every quote")).startswith("line 7: this is")

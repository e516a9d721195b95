"""Every record of a file is found, with the physical line on which it starts, whatever is around it."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.ops.imports.formats import open_source
from fairground.ops.imports.records import ImportRefused, Record


def read(name: str, content: bytes) -> list[Record]:
    return list(open_source(Path(name), io.BytesIO(content)).records)


def test_a_record_starts_where_its_first_line_is_even_when_values_hold_line_ends() -> None:
    content = b'id,name\n1,"two\nlines"\n2,"three\r\nmore\nlines"\n\n3,last\n'
    records = read("a.csv", content)
    assert [(record.line, record.fields["id"]) for record in records] == [(2, "1"), (4, "2"), (8, "3")]
    assert records[1].fields["name"] == "three\r\nmore\nlines"


def test_the_raw_records_and_the_header_make_the_file_again() -> None:
    content = b'\xef\xbb\xbfid,name\n1,"a ""b"""\n2,"x\ny"\n'
    source = open_source(Path("a.csv"), io.BytesIO(content))
    assert source.columns == ["id", "name"]
    assert source.header + b"".join(record.raw for record in source.records) == content


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1", "1 values, but the header has 2 columns"),
        (b"1,a,b", "3 values"),
        (b"1,\xff\xfe", "not UTF-8"),
        (b'1,"open', "not valid CSV"),
        (b'1,"a"b', "not valid CSV"),
    ],
)
def test_a_broken_row_is_named_and_leaves_the_others_whole(row: bytes, reason: str) -> None:
    records = read("a.csv", b"id,name\n0,first\n" + row + b"\n")
    assert records[0].fields == {"id": "0", "name": "first"}
    assert records[1].line == 3
    assert records[1].fault is not None
    assert reason in records[1].fault.reason


@pytest.mark.parametrize("content", [b"", b"id,id\n1,2\n"])
def test_a_file_without_a_usable_header_is_refused(content: bytes) -> None:
    with pytest.raises(ImportRefused):
        read("a.csv", content)


def test_a_file_of_another_kind_is_refused_with_the_kinds_there_are() -> None:
    with pytest.raises(ImportRefused, match=r"\.csv, \.jsonl or \.json"):
        read("a.xlsx", b"")


def test_json_lines_are_read_one_by_one_and_broken_ones_are_named() -> None:
    content = b'{"id": 1, "tags": ["a", "b"]}\n\nnot json\n[1]\n{"id": null, "ok": true}\n'
    records = read("a.jsonl", content)
    assert [record.line for record in records] == [1, 3, 4, 5]
    assert records[0].fields == {"id": "1", "tags": "a,b"}
    assert records[1].fault is not None
    assert records[2].fault is not None
    assert records[3].fields == {"id": "", "ok": "true"}


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none())), st.sampled_from([None, 1, 4]))
def test_a_json_array_holds_the_objects_that_were_written(rows: list[dict[str, object]], indent: int | None) -> None:
    content = json.dumps(rows, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    records = [record for record in read("a.json", content) if record.fault is None]
    assert [json.loads(record.raw) for record in records] == rows


def test_an_object_of_a_json_array_is_known_by_its_line() -> None:
    records = read("a.json", b'[\n {"id": 1},\n\n {"id":\n  2}, {"id": "]}"}\n]')
    assert [(record.line, record.fields["id"]) for record in records] == [(2, "1"), (4, "2"), (5, "]}")]


@pytest.mark.parametrize("content", [b"{}", b"", b'[{"a": 1},', b'[{"a": 1}'])
def test_json_that_is_no_array_says_where_it_stops_being_one(content: bytes) -> None:
    with pytest.raises(ImportRefused, match="Line 1"):
        read("a.json", content)

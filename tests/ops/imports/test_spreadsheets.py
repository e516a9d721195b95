"""Files are read as spreadsheets write them: any divider, encoding and line end, and rows and columns of nothing."""

import io
from pathlib import Path
from random import Random
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairground.ops.imports import encodings
from fairground.ops.imports.formats import open_source
from fairground.ops.imports.records import ImportRefused, Record, RejectFile, Source

ROWS: Final = [("id", "name"), ("1", "Blå Time"), ("2", "two\nlines"), ("3", "x")]
MARKS: Final = {"utf-16-be-marked": b"\xfe\xff"}


def opened(content: bytes, *, encoding: str = "", map_columns: tuple[str, ...] = ()) -> Source:
    return open_source(Path("a.csv"), io.BytesIO(content), encoding=encoding, map_columns=map_columns)


def read(content: bytes, *, encoding: str = "", map_columns: tuple[str, ...] = ()) -> list[Record]:
    return list(opened(content, encoding=encoding, map_columns=map_columns).records)


def table(divider: str, end: str) -> str:
    return end.join(divider.join(f'"{value}"' if "\n" in value else value for value in row) for row in ROWS) + end


def values(records: list[Record]) -> list[tuple[int, str, str]]:
    return [(record.line, record.fields["id"], record.fields["name"]) for record in records]


EXPECTED: Final = [(2, "1", "Blå Time"), (3, "2", "two\nlines"), (5, "3", "x")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("divider", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "windows-1252", "utf-16-be-marked"]
)
def test_any_divider_line_end_and_encoding_is_read(divider: str, end: str, encoding: str) -> None:
    text = table(divider, end)
    content = MARKS.get(encoding, b"") + text.encode(encoding.removesuffix("-marked"))
    said = encoding if encoding == "windows-1252" else ""
    assert values(read(content, encoding=said)) == EXPECTED


@pytest.mark.parametrize("first", ["sep=;\r\n", "\ufeffsep=;\n", '"sep=;"\r\n', "SEP=;\n"])
def test_line_of_excel_says_the_divider_and_is_line_1(first: str) -> None:
    records = read((first + "id;name, full\n1;a,b\n").encode())
    assert [(record.line, record.fields) for record in records] == [(3, {"id": "1", "name, full": "a,b"})]


def test_header_that_two_characters_may_divide_is_read_by_the_columns_of_the_map() -> None:
    content = b"id;name, full;price\n1;a,b;3\n"
    assert read(content, map_columns=("id", "price"))[0].fields == {"id": "1", "name, full": "a,b", "price": "3"}
    with pytest.raises(ImportRefused, match=r"commas and semicolons, and either could be.*Add a line sep=,"):
        read(content)


def test_header_whose_columns_both_dividers_give_is_refused() -> None:
    with pytest.raises(ImportRefused, match="either could be the separator"):
        opened(b"id;name, full;price,id\n1;2;3,4\n", map_columns=("id",))


def test_quoted_dividers_of_a_header_divide_nothing() -> None:
    assert read(b'"id";"name, full"\n1;x\n')[0].fields == {"id": "1", "name, full": "x"}


def test_mixed_line_ends_are_counted_as_an_editor_counts_them() -> None:
    records = read(b'id,name\r1,a\r\n2,"b\rc\r\nd"\n\r3,e')
    assert [(record.line, record.fields["name"]) for record in records] == [(2, "a"), (3, "b\rc\r\nd"), (7, "e")]


@given(st.text(st.sampled_from("ab\n\r"), max_size=60), st.integers(1, 7))
def test_lines_are_the_same_however_the_file_is_cut(text: str, chunk_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encodings, "_CHUNK_BYTES", chunk_bytes)
        chunks = encodings.Chunks(io.BytesIO(text.encode()), path=Path("a.csv"))
        assert list(chunks.lines()) == text.encode().splitlines(keepends=True)


@pytest.mark.parametrize(
    "content",
    [
        b"id,name,,\n1,a,,\n",
        b"id,name,,\n1,a\n",
        b"id,name\n1,a,,\n",
        b"id,name,,\n1,a,note,\n",
        b",,\n\nid,name,\n,,\n1,a,\n  ,\t,\n\n",
        b" id , name \n1,a\n",
        b"id,,name\n1,x,a\n",
    ],
)
def test_nameless_columns_and_rows_of_nothing_are_passed_over(content: bytes) -> None:
    records = read(content)
    assert [record.fault for record in records] == [None]
    assert records[0].fields == {"id": "1", "name": "a"}


@pytest.mark.parametrize("row", [b"1", b"1,a,b"])
def test_row_of_another_width_is_named_with_the_divider(row: bytes) -> None:
    (record,) = read(b"id;name\n" + row.replace(b",", b";") + b"\n")
    assert record.fault is not None
    assert "but the header has 2 columns" in record.fault.reason
    assert "quote values that contain semicolons" in record.fault.hint


def test_doubled_column_is_named_with_its_places() -> None:
    with pytest.raises(ImportRefused, match=r"has 'id' in columns 1 and 3\. Give each column a unique name"):
        read(b"id,name,id\n1,2,3\n")


def test_doubled_column_with_a_long_name_is_cut_and_escaped() -> None:
    name = "a\x1b" + "x" * 500
    with pytest.raises(ImportRefused) as refused:
        read(f"{name},{name}\n1,2\n".encode())
    assert str(refused.value).startswith(f"The header has 'a\\x1b{'x' * 37}…' in columns 1 and 2.")


NO_TEXT: Final = {
    "random bytes": Random(4).randbytes(2_000),
    "random bytes without line ends": bytes(byte for byte in Random(5).randbytes(900) if byte not in b"\r\n"),
    "zeros": bytes(500),
    "Latin-1": "id,größe;name\n1,a;b\n".encode("latin-1"),
    "picture": b"\x89PNG\r\n\x1a\n" + Random(6).randbytes(700),
}


@pytest.mark.parametrize("content", NO_TEXT.values(), ids=NO_TEXT)
def test_header_that_is_no_text_is_refused_without_showing_it(content: bytes) -> None:
    with pytest.raises(ImportRefused) as refused:
        opened(content, map_columns=("id", "name"))
    assert str(refused.value).startswith("The header is not text in UTF-8. Save the file as CSV in UTF-8, or add enc")
    assert 'encoding = "windows-1252"' in str(refused.value)


def test_random_bytes_that_the_map_calls_windows_1252_are_refused() -> None:
    with pytest.raises(ImportRefused, match=r"^The header is not text in Windows-1252\. Save the file as CSV in UTF-8"):
        opened(Random(4).randbytes(2_000), encoding="windows-1252", map_columns=("id", "name"))


def test_header_with_the_columns_of_the_map_is_read_whatever_its_other_names_hold() -> None:
    content = "id,name,größe\n1,a,b\n".encode("latin-1")
    (record,) = read(content, map_columns=("id", "name"))
    assert (record.fault, record.fields["name"]) == (None, "a")


def test_bytes_of_windows_1252_are_refused_row_by_row_with_what_the_map_can_say() -> None:
    content = "id,name\n1,a\n2,Bjørg\n3,b\n".encode("windows-1252")
    faults = [record.fault for record in read(content)]
    assert [fault is None for fault in faults] == [True, False, True]
    assert faults[1] is not None
    assert 'encoding = "windows-1252"' in faults[1].hint
    assert values(read(content, encoding="windows-1252"))[1] == (3, "2", "Bjørg")


def test_byte_that_windows_1252_does_not_have_is_refused_in_its_row() -> None:
    (record,) = read(b"id,name\n1,\x81\n", encoding="windows-1252")
    assert record.fault is not None
    assert record.fault.reason == "this is not Windows-1252"


def test_half_a_character_at_the_end_of_utf_16_is_refused_in_its_row() -> None:
    records = read("id,name\n1,a\n2,b".encode("utf-16") + b"x")
    assert [record.fault is None for record in records] == [True, False]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04rest", "a spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "an old Excel"),
        ("id".encode("utf-32"), "UTF-32"),
        (b"\x1f\x8brest", "compressed"),
    ],
)
def test_file_that_is_no_text_is_refused_with_what_it_is(content: bytes, kind: str) -> None:
    with pytest.raises(ImportRefused, match=kind):
        read(content)


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252"])
def test_rejected_rows_of_another_encoding_are_read_again_with_the_same_map(tmp_path: Path, encoding: str) -> None:
    said = encoding if encoding == "windows-1252" else ""
    source = opened("sep=;\nid;name\n1;Blå\n2;Grün\n".encode(encoding), encoding=said)
    rejects = RejectFile(tmp_path / "a.csv", source)
    rejects.add(list(source.records)[1])
    path = rejects.close()
    assert path is not None
    assert values(read(path.read_bytes(), encoding=said)) == [(3, "2", "Grün")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_json_is_read_in_utf_16_as_well(encoding: str) -> None:
    for name, text in (("a.json", '[{"id": "Blå"}]'), ("a.jsonl", '{"id": "Blå"}\r\n')):
        records = list(open_source(Path(name), io.BytesIO(text.encode(encoding))).records)
        assert [record.fields for record in records] == [{"id": "Blå"}]

"""The bytes of a file, as UTF-8 and line by line, whatever encoding and line ends it was saved with."""

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from fairground.ops.imports.records import ImportRefused

RECORD_MAX_BYTES: Final = 64 * 1024 * 1024  # pictures may stand in it; what is larger is not what it says
UTF8_MARK: Final = codecs.BOM_UTF8
_CHUNK_BYTES: Final = 1024 * 1024
_HEAD_BYTES: Final = 4096
_FOREIGN: Final = {
    b"PK\x03\x04": "a spreadsheet (.xlsx, .ods) or another archive",
    b"\xd0\xcf\x11\xe0": "an old Excel spreadsheet (.xls)",
    b"%PDF": "a PDF",
    b"\x1f\x8b": "a compressed file",
}
_NUL_SHARE: Final = 0.4  # of every second byte: Latin letters in UTF-16


class Chunks:
    """A file in pieces of UTF-8, with a byte order mark in front where the file is in another encoding."""

    def __init__(self, file: IO[bytes], *, path: Path, encoding: str = "") -> None:
        """Find out the encoding.

        Args:
            encoding: What the map says; a byte order mark in the file wins over it. "" finds UTF-8 and UTF-16.

        Raises:
            ImportRefused: It is no text.
        """
        head = file.read(_HEAD_BYTES)
        file.seek(0)
        for sign, kind in _FOREIGN.items():
            if head.startswith(sign):
                raise ImportRefused(f"{path} is {kind}, not text. Save it as CSV in UTF-8 and import that file.")
        if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
            raise ImportRefused(f"{path} is in UTF-32. Save it as UTF-8 and import that file.")
        self.encoding = _encoding_of(head, said=encoding)
        self._chunks = self._read(file)

    def read(self) -> bytes:
        """Return the next piece; nothing at the end."""
        return next(self._chunks, b"")

    def lines(self) -> Iterator[bytes]:
        """Yield each line with its end, which is one of LF, CRLF and CR, as an editor counts them."""
        rest: list[bytes] = []
        held_bytes = 0
        while piece := self.read():
            lines = piece.splitlines(keepends=True)
            if rest and rest[-1].endswith(b"\r") and not piece.startswith(b"\n"):
                yield b"".join(rest)
                rest, held_bytes = [], 0
            # The last line may go on in the next piece, as may a CR that is half of a CRLF.
            last = lines.pop() if not piece.endswith(b"\n") else b""
            for line in lines:
                yield b"".join((*rest, line))
                rest, held_bytes = [], 0
            if last:
                rest.append(last)
                held_bytes += len(last)
            if held_bytes > RECORD_MAX_BYTES:
                raise ImportRefused("A line is longer than 64 MiB. Check that the file has line breaks.")
        if rest:
            yield b"".join(rest)

    def _read(self, file: IO[bytes]) -> Iterator[bytes]:
        if self.encoding == "utf-8":
            while chunk := file.read(_CHUNK_BYTES):
                yield chunk
            return
        # What the encoding does not know becomes bytes that are not UTF-8 either, so that its own record is refused.
        errors = "surrogatepass" if self.encoding.startswith("utf-16") else "surrogateescape"
        decoder = codecs.getincrementaldecoder(self.encoding)(errors=errors)
        mark = UTF8_MARK
        while chunk := file.read(_CHUNK_BYTES):
            text = decoder.decode(chunk).removeprefix("\ufeff" if mark else "")
            yield mark + text.encode("utf-8", "surrogatepass")
            mark = b""
        if decoder.getstate()[0]:
            yield b"\xff"  # half of a character at the end


def _encoding_of(head: bytes, *, said: str) -> str:
    if head.startswith(UTF8_MARK):
        return "utf-8"
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le"
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be"
    if said:
        return said
    even, odd = head[0::2], head[1::2]
    if odd and odd.count(0) > _NUL_SHARE * len(odd) and not even.count(0):
        return "utf-16-le"
    if even and even.count(0) > _NUL_SHARE * len(even) and not odd.count(0):
        return "utf-16-be"
    return "utf-8"

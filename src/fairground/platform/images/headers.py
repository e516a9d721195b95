"""The heads of picture files: format, size and structure, read without decoding and without a library."""

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import (
    SCANS_MAX,
    PictureAnimated,
    PictureBroken,
    PictureTooManyScans,
    refuse_size,
)

PARTS_MAX: Final = 20_000  # honest files have some hundred at most; hostile ones have millions


@dataclass(frozen=True, slots=True)
class Head:
    """Format and size as the file states them. A camera's orientation may swap the sides."""

    format: PictureFormat
    width_px: int
    height_px: int


class FileReader:
    """Reads a file at any position; a read past its end refuses the file as broken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)

    def read(self, position: int, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            PictureBroken: The file ends before.
        """
        piece = self.read_up_to(position, count)
        if len(piece) < count:
            raise PictureBroken(f"The picture is incomplete: its {self.size_bytes} bytes end in the middle of a part.")
        return piece

    def read_up_to(self, position: int, count: int) -> bytes:
        """Return `count` bytes, or those that are left."""
        self._file.seek(position)
        return self._file.read(count)

    def check_end(self, end: int) -> None:
        """Refuse a part that would end behind the file."""
        if end > self.size_bytes:
            raise PictureBroken(f"The picture is incomplete: {end - self.size_bytes} bytes are missing at its end.")


class PartCount:
    """Counts the parts of a file, and refuses more than an honest file has."""

    def __init__(self) -> None:
        self._parts = 0

    def add(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise PictureBroken(f"The picture has more than {PARTS_MAX} parts.")


# JPEG: every segment up to the end of the picture, so that size, scans and a missing end are known before decoding.

JPEG_MAGIC: Final = b"\xff\xd8\xff"

_JPEG_END: Final = 0xD9
_JPEG_SCAN: Final = 0xDA
_JPEG_BARE_MARKERS: Final = frozenset({0x01, 0xD8})  # these have no length
_JPEG_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_JPEG_SHOWN_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what browsers show
_JPEG_COMPONENTS: Final = frozenset({1, 3, 4})
_JPEG_PRECISION_BITS: Final = 8
# In the data of a scan, FF 00 is a byte of data, FF D0 to FF D7 are restart markers, and FF FF is padding.
_JPEG_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_JPEG_CHUNKS_BYTES: Final = (64, 256 * 1024)  # most segments follow one another at once
_JPEG_PADDING_MAX: Final = b"\xff" * 4096


def read_jpeg_head(file: FileReader) -> Head:
    head: Head | None = None
    scans, parts, position = 0, PartCount(), 2
    while True:
        parts.add()
        marker, position = _next_jpeg_marker(file, position)
        if marker == _JPEG_END:
            break
        if marker in _JPEG_BARE_MARKERS:
            continue
        length = int.from_bytes(file.read(position, 2))
        file.check_end(position + length)
        if marker in _JPEG_FRAMES:
            if head is not None:
                raise PictureBroken("The JPEG contains two sizes.")
            head = _read_jpeg_frame(marker, file.read(position + 2, 6))
        if marker == _JPEG_SCAN:
            scans += 1
            if scans > SCANS_MAX:
                raise PictureTooManyScans(f"The JPEG has more than {SCANS_MAX} scans.")
        position += max(length, 2)
    if head is None or scans == 0:
        raise PictureBroken("The JPEG contains no picture.")
    return head


def _next_jpeg_marker(file: FileReader, position: int) -> tuple[int, int]:
    """Return the next marker and the position behind it."""
    near, far = _JPEG_CHUNKS_BYTES
    chunk_bytes = near
    while chunk := file.read_up_to(position, chunk_bytes):
        if _JPEG_PADDING_MAX in chunk:
            raise PictureBroken("The JPEG contains too much padding.")
        if found := _JPEG_MARKER.search(chunk):
            return found[1][0], position + found.end()
        if len(chunk) < chunk_bytes:
            break
        position += len(chunk) - 1  # its last byte may be the first half of a marker
        chunk_bytes = far
    raise PictureBroken("The JPEG is incomplete: its end is missing.")


def _read_jpeg_frame(marker: int, frame: bytes) -> Head:
    precision_bits, components = frame[0], frame[5]
    is_shown = marker in _JPEG_SHOWN_FRAMES and components in _JPEG_COMPONENTS
    if not is_shown or precision_bits != _JPEG_PRECISION_BITS:
        raise PictureBroken(f"Browsers can't show this kind of JPEG (SOF{marker - 0xC0}).")
    return _sized(PictureFormat.JPEG, int.from_bytes(frame[3:5]), int.from_bytes(frame[1:3]))


# PNG: the header, then every chunk by its length alone.

PNG_MAGIC: Final = b"\x89PNG\r\n\x1a\n"

_PNG_HEADER_BYTES: Final = 13
# By colour type: grey, colour, palette, grey with alpha, colour with alpha.
_PNG_BIT_DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}


def read_png_head(file: FileReader) -> Head:
    head = _read_png_header(file.read(len(PNG_MAGIC), 8 + _PNG_HEADER_BYTES + 4))
    position, parts, has_data = len(PNG_MAGIC) + 8 + _PNG_HEADER_BYTES + 4, PartCount(), False
    while True:
        parts.add()
        chunk = file.read(position, 8)
        length, kind = int.from_bytes(chunk[:4]), chunk[4:]
        if not kind.isalpha():
            raise PictureBroken("The PNG is damaged: a chunk has no name.")
        position += 8 + length + 4
        file.check_end(position)
        if kind == b"acTL":
            raise PictureAnimated("The PNG is animated.")
        if kind == b"IHDR":
            raise PictureBroken("The PNG contains two sizes.")
        if kind == b"IEND":
            break
        has_data = has_data or kind == b"IDAT"
    if not has_data:
        raise PictureBroken("The PNG contains no picture.")
    return head


def _read_png_header(chunk: bytes) -> Head:
    named, header, checksum = chunk[:8], chunk[8 : 8 + _PNG_HEADER_BYTES], chunk[-4:]
    if named != _PNG_HEADER_BYTES.to_bytes(4) + b"IHDR" or zlib.crc32(b"IHDR" + header) != int.from_bytes(checksum):
        raise PictureBroken("The PNG has no header.")
    bit_depth, colour_type = header[8], header[9]
    if bit_depth not in _PNG_BIT_DEPTHS.get(colour_type, ()):
        raise PictureBroken(f"The PNG has an invalid colour type (type {colour_type}, {bit_depth} bits).")
    return _sized(PictureFormat.PNG, int.from_bytes(header[:4]), int.from_bytes(header[4:8]))


# WebP: chunks of a RIFF container. The canvas and the picture on it both have a size, and both are checked.

_WEBP_FIRST_CHUNK: Final = 12
_WEBP_ANIMATION_FLAG: Final = 0x02
_WEBP_LOSSLESS_SIGN: Final = 0x2F
_WEBP_LOSSY_SIGN: Final = b"\x9d\x01\x2a"


def is_webp(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def read_webp_head(file: FileReader) -> Head:
    end = 8 + int.from_bytes(file.read(4, 4), "little")
    file.check_end(end)
    canvas: Head | None = None
    position, parts = _WEBP_FIRST_CHUNK, PartCount()
    while position < end:
        parts.add()
        chunk = file.read(position, 8)
        kind, length = chunk[:4], int.from_bytes(chunk[4:], "little")
        file.check_end(position + 8 + length)
        if kind in {b"ANIM", b"ANMF"}:
            raise PictureAnimated("The WebP is animated.")
        if kind == b"VP8X":
            canvas = _read_webp_canvas(file.read(position + 8, 10))
        if kind in {b"VP8 ", b"VP8L"}:
            picture = _read_webp_picture(kind, file.read(position + 8, 10))
            if canvas not in {None, picture}:
                raise PictureBroken("The WebP contains two sizes.")
            return picture
        position += 8 + length + length % 2
    raise PictureBroken("The WebP contains no picture.")


def _read_webp_canvas(chunk: bytes) -> Head:
    if chunk[0] & _WEBP_ANIMATION_FLAG:
        raise PictureAnimated("The WebP is animated.")
    width_px, height_px = 1 + int.from_bytes(chunk[4:7], "little"), 1 + int.from_bytes(chunk[7:10], "little")
    return _sized(PictureFormat.WEBP, width_px, height_px)


def _read_webp_picture(kind: bytes, chunk: bytes) -> Head:
    is_lossless = kind == b"VP8L"
    if (chunk[0] != _WEBP_LOSSLESS_SIGN) if is_lossless else (chunk[3:6] != _WEBP_LOSSY_SIGN):
        raise PictureBroken("The WebP contains no picture.")
    if is_lossless:
        bits = int.from_bytes(chunk[1:5], "little")
        return _sized(PictureFormat.WEBP, 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    width_px, height_px = (int.from_bytes(chunk[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return _sized(PictureFormat.WEBP, width_px, height_px)


# AVIF: boxes in boxes. Every size in it is checked, because one picture may be put together from many.

_AVIF_LONG_SIZE: Final = 1  # a box with this size has its real one, of 64 bits, behind its name
_AVIF_TO_THE_END: Final = 0

_Box = tuple[bytes, int, int]
"""Name, where its content begins, where it ends."""


def list_avif_brands(start: bytes) -> tuple[bytes, ...]:
    """Return the brands of a file of boxes, the main one first; nothing for any other file."""
    if start[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(start[:4]), len(start))
    return (start[8:12], *(start[at : at + 4] for at in range(16, end - 3, 4)))


def read_avif_head(file: FileReader) -> Head:
    parts = PartCount()
    boxes = {name: (begin, end) for name, begin, end in _avif_boxes(file, 0, file.size_bytes, parts)}
    if b"moov" in boxes:
        raise PictureAnimated("The AVIF is animated.")
    if b"meta" not in boxes:
        raise PictureBroken("The AVIF has no description of its picture.")
    begin, end = boxes[b"meta"]
    sizes = list(_avif_sizes(file, (begin + 4, end), (b"iprp", b"ipco"), parts))
    if not sizes:
        raise PictureBroken("The AVIF has no size.")
    for width_px, height_px in sizes:
        refuse_size(width_px, height_px)
    return Head(PictureFormat.AVIF, *max(sizes, key=lambda size: size[0] * size[1]))


def _avif_sizes(
    file: FileReader, within: tuple[int, int], path: tuple[bytes, ...], parts: PartCount
) -> Iterator[tuple[int, int]]:
    """Give the sizes of the boxes `ispe` at the end of the path."""
    for name, begin, end in _avif_boxes(file, *within, parts):
        if path and name == path[0]:
            yield from _avif_sizes(file, (begin, end), path[1:], parts)
        if not path and name == b"ispe":
            size = file.read(begin + 4, 8)
            yield int.from_bytes(size[:4]), int.from_bytes(size[4:])


def _avif_boxes(file: FileReader, begin: int, end: int, parts: PartCount) -> Iterator[_Box]:
    position = begin
    while position < end:
        parts.add()
        head = file.read(position, 8)
        size, name, inside = int.from_bytes(head[:4]), head[4:], position + 8
        if size == _AVIF_LONG_SIZE:
            size, inside = int.from_bytes(file.read(position + 8, 8)), position + 16
        if size == _AVIF_TO_THE_END:
            size = end - position
        if size < inside - position or position + size > end:
            file.check_end(position + size)
            raise PictureBroken("The AVIF is damaged: a part is larger than the file.")
        yield name, inside, position + size
        position += size


def _sized(picture_format: PictureFormat, width_px: int, height_px: int) -> Head:
    refuse_size(width_px, height_px)
    return Head(picture_format, width_px, height_px)

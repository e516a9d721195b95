"""WebP: chunks of a RIFF container. A canvas and the picture on it both have sizes, and both are judged."""

from typing import Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers.reading import Head, PartCount, Pieces
from fairground.platform.images.refusals import PictureAnimated, PictureBroken, refuse_size

_FIRST_CHUNK: Final = 12
_ANIMATION_FLAG: Final = 0x02
_LOSSLESS_SIGN: Final = 0x2F
_LOSSY_SIGN: Final = b"\x9d\x01\x2a"


def is_webp(start: bytes) -> bool:
    return start[:4] == b"RIFF" and start[8:12] == b"WEBP"


def read_head(pieces: Pieces) -> Head:
    end = 8 + int.from_bytes(pieces.at(4, 4), "little")
    pieces.reach(end)
    canvas: Head | None = None
    position, parts = _FIRST_CHUNK, PartCount()
    while position < end:
        parts.add()
        chunk = pieces.at(position, 8)
        kind, length = chunk[:4], int.from_bytes(chunk[4:], "little")
        pieces.reach(position + 8 + length)
        if kind in {b"ANIM", b"ANMF"}:
            raise PictureAnimated("The WebP is animated.")
        if kind == b"VP8X":
            canvas = _read_canvas(pieces.at(position + 8, 10))
        if kind in {b"VP8 ", b"VP8L"}:
            picture = _read_picture(kind, pieces.at(position + 8, 10))
            if canvas not in {None, picture}:
                raise PictureBroken("The WebP says two different sizes.")
            return picture
        position += 8 + length + length % 2
    raise PictureBroken("The WebP ends before its picture.")


def _read_canvas(chunk: bytes) -> Head:
    if chunk[0] & _ANIMATION_FLAG:
        raise PictureAnimated("The WebP is animated.")
    return _head(1 + int.from_bytes(chunk[4:7], "little"), 1 + int.from_bytes(chunk[7:10], "little"))


def _read_picture(kind: bytes, chunk: bytes) -> Head:
    if kind == b"VP8L":
        if chunk[0] != _LOSSLESS_SIGN:
            raise PictureBroken("The WebP holds no picture where one should begin.")
        bits = int.from_bytes(chunk[1:5], "little")
        return _head(1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
    if chunk[3:6] != _LOSSY_SIGN:
        raise PictureBroken("The WebP holds no picture where one should begin.")
    return _head(int.from_bytes(chunk[6:8], "little") & 0x3FFF, int.from_bytes(chunk[8:10], "little") & 0x3FFF)


def _head(width_px: int, height_px: int) -> Head:
    refuse_size(width_px, height_px)
    return Head(PictureFormat.WEBP, width_px, height_px)

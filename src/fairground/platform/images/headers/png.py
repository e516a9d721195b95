"""PNG: the header, then every chunk by its length alone."""

import zlib
from typing import Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers.reading import Head, PartCount, Pieces
from fairground.platform.images.refusals import PictureAnimated, PictureBroken, refuse_size

MAGIC: Final = b"\x89PNG\r\n\x1a\n"

_HEADER_BYTES: Final = 13
# By colour type: grey, colour, palette, grey with alpha, colour with alpha.
_BIT_DEPTHS: Final = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}


def read_head(pieces: Pieces) -> Head:
    head = _read_header(pieces.at(len(MAGIC), 8 + _HEADER_BYTES + 4))
    position, parts, has_data = len(MAGIC) + 8 + _HEADER_BYTES + 4, PartCount(), False
    while True:
        parts.add()
        chunk = pieces.at(position, 8)
        length, kind = int.from_bytes(chunk[:4]), chunk[4:]
        if not kind.isalpha():
            raise PictureBroken("The PNG holds a chunk without a name.")
        position += 8 + length + 4
        pieces.reach(position)
        if kind == b"acTL":
            raise PictureAnimated("The PNG is animated.")
        if kind == b"IHDR":
            raise PictureBroken("The PNG says twice how large it is.")
        if kind == b"IEND":
            break
        has_data = has_data or kind == b"IDAT"
    if not has_data:
        raise PictureBroken("The PNG ends before its picture.")
    return head


def _read_header(chunk: bytes) -> Head:
    named, header, checksum = chunk[:8], chunk[8 : 8 + _HEADER_BYTES], chunk[-4:]
    if named != _HEADER_BYTES.to_bytes(4) + b"IHDR" or zlib.crc32(b"IHDR" + header) != int.from_bytes(checksum):
        raise PictureBroken("The PNG does not begin with a header.")
    bit_depth, colour_type = header[8], header[9]
    if bit_depth not in _BIT_DEPTHS.get(colour_type, ()):
        raise PictureBroken(f"The PNG names colours that do not exist (type {colour_type}, {bit_depth} bits).")
    width_px, height_px = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    refuse_size(width_px, height_px)
    return Head(PictureFormat.PNG, width_px, height_px)

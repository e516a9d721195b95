"""JPEG: segments up to the end of the picture, so that sizes, scans and a missing end are known before decoding."""

import re
from typing import Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers.reading import Head, PartCount, Pieces
from fairground.platform.images.refusals import SCANS_MAX, PictureBroken, PictureTooManyScans, refuse_size

MAGIC: Final = b"\xff\xd8\xff"

_END: Final = 0xD9
_SCAN: Final = 0xDA
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_USUAL_FRAMES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive: what browsers show
_COMPONENTS: Final = frozenset({1, 3, 4})

# In the data of a scan, FF 00 is a byte of data, FF D0 to FF D7 are signs for resuming, and FF FF is padding.
_MARKER: Final = re.compile(rb"\xff([\x01-\xcf\xd8-\xfe])")
_CHUNKS_BYTES: Final = (64, 256 * 1024)  # most segments follow one another at once
_PADDING_MAX: Final = b"\xff" * 4096


def read_head(pieces: Pieces) -> Head:
    head: Head | None = None
    scans, parts, position = 0, PartCount(), 2
    while True:
        parts.add()
        marker, position = _next_marker(pieces, position)
        if marker == _END:
            break
        if marker in {0x01, 0xD8}:  # markers without a length
            continue
        length = int.from_bytes(pieces.at(position, 2))
        pieces.reach(position + length)
        if marker in _FRAMES:
            if head is not None:
                raise PictureBroken("The JPEG says twice how large it is.")
            head = _read_frame(marker, pieces.at(position + 2, 6))
        if marker == _SCAN:
            scans += 1
            if scans > SCANS_MAX:
                raise PictureTooManyScans(f"The JPEG is drawn in more than {SCANS_MAX} passes.")
        position += max(length, 2)
    if head is None or scans == 0:
        raise PictureBroken("The JPEG ends before its picture.")
    return head


def _next_marker(pieces: Pieces, position: int) -> tuple[int, int]:
    """Return the next marker and the position behind it."""
    near, far = _CHUNKS_BYTES
    chunk_bytes = near
    while chunk := pieces.up_to(position, chunk_bytes):
        if _PADDING_MAX in chunk:
            raise PictureBroken("The JPEG holds long stretches of nothing.")
        if found := _MARKER.search(chunk):
            return found[1][0], position + found.end()
        if len(chunk) < chunk_bytes:
            break
        position += len(chunk) - 1  # its last byte may be the first half of a marker
        chunk_bytes = far
    raise PictureBroken("The JPEG is cut off: its end is missing.")


def _read_frame(marker: int, frame: bytes) -> Head:
    precision_bits, components = frame[0], frame[5]
    if marker not in _USUAL_FRAMES or precision_bits != 8 or components not in _COMPONENTS:  # noqa: PLR2004 - bits
        raise PictureBroken(f"The JPEG is of a kind that browsers do not show (SOF{marker - 0xC0}).")
    height_px, width_px = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
    refuse_size(width_px, height_px)
    return Head(PictureFormat.JPEG, width_px, height_px)

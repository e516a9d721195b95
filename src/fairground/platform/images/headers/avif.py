"""AVIF: boxes in boxes. Every size that is named anywhere is judged, for a picture may be put together from many."""

from collections.abc import Iterator
from typing import Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers.reading import Head, PartCount, Pieces
from fairground.platform.images.refusals import PictureAnimated, PictureBroken, refuse_size

_LONG_SIZE: Final = 1  # a box that says this size has its real one, of 64 bits, behind its name
_TO_THE_END: Final = 0

Box = tuple[bytes, int, int]
"""Name, where its content begins, where it ends."""


def list_brands(start: bytes) -> tuple[bytes, ...]:
    """Return what a file of boxes says it is, the main brand first; nothing for any other file."""
    if start[4:8] != b"ftyp":
        return ()
    end = min(int.from_bytes(start[:4]), len(start))
    return (start[8:12], *(start[at : at + 4] for at in range(16, end - 3, 4)))


def read_head(pieces: Pieces) -> Head:
    parts = PartCount()
    boxes = {name: (begin, end) for name, begin, end in _boxes(pieces, 0, pieces.size_bytes, parts)}
    if b"moov" in boxes:
        raise PictureAnimated("The AVIF is animated.")
    if b"meta" not in boxes:
        raise PictureBroken("The AVIF does not describe its picture.")
    begin, end = boxes[b"meta"]
    sizes = list(_sizes(pieces, (begin + 4, end), (b"iprp", b"ipco"), parts))
    if not sizes:
        raise PictureBroken("The AVIF does not say how large it is.")
    for width_px, height_px in sizes:
        refuse_size(width_px, height_px)
    return Head(PictureFormat.AVIF, *max(sizes, key=lambda size: size[0] * size[1]))


def _sizes(
    pieces: Pieces, within: tuple[int, int], path: tuple[bytes, ...], parts: PartCount
) -> Iterator[tuple[int, int]]:
    """Give what the boxes `ispe` at the end of the path say."""
    for name, begin, end in _boxes(pieces, *within, parts):
        if path and name == path[0]:
            yield from _sizes(pieces, (begin, end), path[1:], parts)
        if not path and name == b"ispe":
            size = pieces.at(begin + 4, 8)
            yield int.from_bytes(size[:4]), int.from_bytes(size[4:])


def _boxes(pieces: Pieces, begin: int, end: int, parts: PartCount) -> Iterator[Box]:
    position = begin
    while position < end:
        parts.add()
        head = pieces.at(position, 8)
        size, name, inside = int.from_bytes(head[:4]), head[4:], position + 8
        if size == _LONG_SIZE:
            size, inside = int.from_bytes(pieces.at(position + 8, 8)), position + 16
        if size == _TO_THE_END:
            size = end - position
        if size < inside - position or position + size > end:
            pieces.reach(position + size)
            raise PictureBroken("The AVIF holds a part that is larger than what it is part of.")
        yield name, inside, position + size
        position += size

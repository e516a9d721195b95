"""Reading a file piece by piece, where every piece may be missing."""

import os
from dataclasses import dataclass
from typing import BinaryIO, Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.refusals import PictureBroken

PARTS_MAX: Final = 20_000  # in honest files some hundred at most; hostile ones have millions, to keep us counting


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says of itself. Sides are as stored: a camera's orientation may turn them."""

    format: PictureFormat
    width_px: int
    height_px: int


class Pieces:
    """A file that can be read at any place. Its pieces are there whole, or it is broken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size_bytes = file.seek(0, os.SEEK_END)

    def at(self, position: int, count: int) -> bytes:
        """Return `count` bytes.

        Raises:
            PictureBroken: The file ends before.
        """
        piece = self.up_to(position, count)
        if len(piece) < count:
            raise PictureBroken(f"The picture is cut off: its {self.size_bytes} bytes end in the middle of a part.")
        return piece

    def up_to(self, position: int, count: int) -> bytes:
        """Return `count` bytes, or those that are left."""
        self._file.seek(position)
        return self._file.read(count)

    def reach(self, end: int) -> None:
        """Refuse a part that would end behind the file."""
        if end > self.size_bytes:
            raise PictureBroken(f"The picture is cut off: {end - self.size_bytes} bytes are missing at its end.")


class PartCount:
    """Counts the parts of a file, to stop where no honest file goes on."""

    def __init__(self) -> None:
        self._parts = 0

    def add(self) -> None:
        self._parts += 1
        if self._parts > PARTS_MAX:
            raise PictureBroken(f"The picture consists of more than {PARTS_MAX} parts.")

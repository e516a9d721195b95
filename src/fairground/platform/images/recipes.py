"""Recipes: what is made of a picture, as plain data. The same recipe makes the same bytes of the same source."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fairground.platform.images.formats import PictureFormat

VERSION: Final = 1
"""Raised whenever a recipe makes other bytes than before, so that what was kept under its name is made anew."""

WIDTHS_PX: Final = range(8, 2049)
QUALITIES: Final = range(1, 101)

MASTER_PX: Final = 1024
GALLERY: Final = ((400, 80), (800, 85), (1200, 90))
"""Widths in pixels with their qualities: a small picture is looked at closely less often than a large one."""


class Shape(StrEnum):
    SQUARE = "square"
    """The middle of the picture, exactly as wide as asked: enlarged if need be, for a layout counts on it."""
    WHOLE = "whole"
    """The whole picture, never wider than it was and never taller than three times the width."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One picture to be made. `quality` is on JPEG's scale, whatever the format: it looks about equally good in each.

    Raises:
        ValueError: Outside the bounds above, or a format that is only read.
    """

    shape: Shape
    width_px: int
    format: PictureFormat
    quality: int

    def __post_init__(self) -> None:
        if self.width_px not in WIDTHS_PX or self.quality not in QUALITIES or self.format is PictureFormat.PNG:
            raise ValueError(f"{self.name} cannot be made.")

    @property
    def name(self) -> str:
        """Names the recipe within keys, files and ETags: it differs wherever the result may differ."""
        return f"v{VERSION}-{self.shape}-{self.width_px}-q{self.quality}.{self.format}"


# JPEG decodes at half or a quarter of the size for less than half the price, which is what avatars are made from.
MASTER: Final = Recipe(Shape.SQUARE, MASTER_PX, PictureFormat.JPEG, 92)
# As small as a picture can be and still be one: about a hundred bytes, to stand in a page as a `data:` address.
PLACEHOLDER: Final = Recipe(Shape.WHOLE, 16, PictureFormat.WEBP, 40)


def gallery(picture_format: PictureFormat) -> tuple[Recipe, ...]:
    """Return the pictures of a gallery in a format, the narrowest first."""
    return tuple(Recipe(Shape.WHOLE, width_px, picture_format, quality) for width_px, quality in GALLERY)


UPLOAD: Final = (MASTER, *gallery(PictureFormat.WEBP), *gallery(PictureFormat.JPEG), PLACEHOLDER)
"""What is made of every upload at once. AVIF is made later, where somebody asks: it costs more than all of these."""

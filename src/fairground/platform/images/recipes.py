"""Recipes: descriptions of derivatives as plain data, and the ladder of sizes and qualities that exist."""

from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fairground.platform.images.formats import PictureFormat

VERSION: Final = 1
"""Raise it when a recipe makes other bytes than before: files under the older name are then not used."""

WIDTHS_PX: Final = range(8, 2049)
QUALITIES: Final = range(1, 101)

MASTER_PX: Final = 1024
GALLERY: Final = ((400, 80), (800, 85), (1200, 90))
"""Widths in pixels with their qualities: a small picture is looked at less closely than a large one."""

# The bounds of the image proxy, which refuses requests beyond them.
WIDTH_MIN_PX: Final = 16
WIDTH_MAX_PX: Final = 2048
AVATAR_MAX_PX: Final = MASTER_PX
DENSITY_MAX: Final = 3
QUALITY_MIN: Final = 40
QUALITY_MAX: Final = 95

# Each step is at most half as wide again as the one before, so that a page loads few pixels that it does not show.
LADDER_PX: Final = (32, 48, 64, 96, 128, 192, 256, 320, 400, 512, 640, 800, 1024, 1200, 1600, 2048)
_QUALITY_STEP: Final = 5


class Shape(StrEnum):
    SQUARE = "square"
    """The middle of the picture, exactly as wide as asked: enlarged if need be, because layouts count on it."""
    WHOLE = "whole"
    """The whole picture, never wider than it was and never taller than three times the width."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One derivative to be made. The same recipe makes the same bytes of the same source.

    `quality` is on JPEG's scale for every format: a picture looks about equally good in each.

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
        """The recipe's name within keys, files and ETags: it differs where the result may differ."""
        return f"v{VERSION}-{self.shape}-{self.width_px}-q{self.quality}.{self.format}"


# JPEG decodes at half or a quarter of the size for less than half the CPU time, and avatars are made from this.
MASTER: Final = Recipe(Shape.SQUARE, MASTER_PX, PictureFormat.JPEG, 92)
# About a hundred bytes, as a `data:` URL in a page.
PLACEHOLDER: Final = Recipe(Shape.WHOLE, 16, PictureFormat.WEBP, 40)


def gallery(picture_format: PictureFormat) -> tuple[Recipe, ...]:
    """Return the pictures of a gallery in a format, the narrowest first."""
    return tuple(Recipe(Shape.WHOLE, width_px, picture_format, quality) for width_px, quality in GALLERY)


UPLOAD: Final = (MASTER, *gallery(PictureFormat.WEBP), *gallery(PictureFormat.JPEG), PLACEHOLDER)
"""The first renditions of every upload. AVIF costs more than all of these and is made on demand."""


def step_width(width_px: float, *, source_px: int) -> int:
    """Return the narrowest step with all requested pixels, or with all pixels of the source."""
    return LADDER_PX[bisect_left(LADDER_PX, min(width_px, source_px, WIDTH_MAX_PX))]


def step_quality(quality: int) -> int:
    return -(-quality // _QUALITY_STEP) * _QUALITY_STEP

"""The one way from a source to its pictures: open it once, scale in steps, encode."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.rendering.plan import Size, Target, choose_shrink, list_targets

# AVIF's encoders keep as much at 65 as the others do at 80.
_AVIF_STEP: Final = 15
# A picture that is scaled down twice loses nothing visible when the second step is at least this large.
_CASCADE: Final = 1.4


class UndecodableError(Exception):
    """The library could not decode it."""


class Canvas(Protocol):
    """An upright, opaque picture in memory."""

    @property
    def size(self) -> Size: ...

    def scaled(self, size: Size) -> "Canvas":
        """Return a copy of that size in sRGB."""
        ...

    def square(self) -> "Canvas":
        """Return the middle."""
        ...

    def encode(self, picture_format: PictureFormat, quality: int) -> bytes:
        """Return it as a file with nothing in it but the pixels."""
        ...

    def average(self) -> tuple[int, int, int]:
        """Return the mean of each colour."""
        ...


class Engine(Protocol):
    def open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, Canvas]:
        """Decode a picture once, turned upright and on an opaque ground.

        Args:
            shrink_for: Tells for the size of the source by how much the decoder may shrink it.

        Returns:
            The size of the source, and the picture, which may be smaller by the shrink.

        Raises:
            UndecodableError: It cannot be decoded.
            DomainError: It is another picture than its head promised.
        """
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    recipe: Recipe
    width_px: int
    height_px: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    width_px: int
    """Of the source, upright."""
    height_px: int
    colour: str
    """The average, as `#rrggbb`."""
    pictures: tuple[Picture, ...]
    """The largest first. Whole pictures as wide as a smaller step already is are left out."""


def render(engine: Engine, content: bytes, recipes: Sequence[Recipe]) -> Rendered:
    """Make every recipe of one source, which is decoded once."""
    source, opened = engine.open(content, lambda size: choose_shrink(size, list_targets(size, recipes)))
    scaled: dict[tuple[Shape, Size], Canvas] = {}
    pictures: list[Picture] = []
    for target in list_targets(source, recipes):
        key = (target.recipe.shape, target.size)
        if key not in scaled:
            scaled[key] = _nearest(scaled, target, opened).scaled(target.size)
        pictures.append(_encode(scaled[key], target))
    red, green, blue = scaled[min(scaled, key=lambda key: key[1].width_px)].average()
    return Rendered(source.width_px, source.height_px, f"#{red:02x}{green:02x}{blue:02x}", tuple(pictures))


def _nearest(scaled: dict[tuple[Shape, Size], Canvas], target: Target, opened: Canvas) -> Canvas:
    """Return the smallest picture that the target can be scaled down from without a loss."""
    shape, width_px = target.recipe.shape, target.size.width_px
    fitting = [
        canvas
        for (canvas_shape, size), canvas in scaled.items()
        if canvas_shape is shape and size.width_px >= width_px * _CASCADE
    ]
    if fitting:
        return min(fitting, key=lambda canvas: canvas.size.width_px)
    return opened.square() if shape is Shape.SQUARE else opened


def _encode(canvas: Canvas, target: Target) -> Picture:
    recipe = target.recipe
    quality = recipe.quality - _AVIF_STEP if recipe.format is PictureFormat.AVIF else recipe.quality
    content = canvas.encode(recipe.format, max(1, quality))
    return Picture(recipe, target.size.width_px, target.size.height_px, content)

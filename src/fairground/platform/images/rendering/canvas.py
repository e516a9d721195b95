"""Rendering: decode a source once, scale it in steps, and encode its derivatives.

Sizes and steps are plain geometry, so that they are the same for every library.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import Recipe, Shape

# AVIF's encoders keep as much at 65 as the others do at 80.
_AVIF_STEP: Final = 15
# A picture that is scaled down twice loses nothing visible when the second step is at least this large.
_CASCADE: Final = 1.4
# A decoder that halves is a fast but coarse filter, so a fine one must scale its result down by at least this much.
# At 1.95 the similarity to a full decode is 0.996 (SSIM); at 1.4 it is 0.98, which is visible in hair and leaves. At 2
# the most usual case, 4032 pixels to 512, would be decoded at twice the size.
HEADROOM: Final = 1.95
_SHRINKS: Final = (8, 4, 2)
_TALLEST: Final = 3

# The same opaque backdrop in every format: a logo that is transparent in WebP and white in JPEG would look different,
# and wrong on a dark page.
WHITE: Final = 255
_DARK: Final = 34
_NEARLY_WHITE: Final = 200


@dataclass(frozen=True, slots=True)
class Size:
    """Of an upright picture."""

    width_px: int
    height_px: int

    @property
    def short_px(self) -> int:
        return min(self.width_px, self.height_px)


@dataclass(frozen=True, slots=True)
class Target:
    recipe: Recipe
    size: Size


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
        """Return the square in the middle."""
        ...

    def encode(self, picture_format: PictureFormat, quality: int) -> bytes:
        """Return it as a file that contains only the pixels."""
        ...

    def average(self) -> tuple[int, int, int]:
        """Return the mean of each colour."""
        ...


class Engine(Protocol):
    def open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, Canvas]:
        """Decode a picture once, turned upright and on an opaque backdrop.

        Args:
            shrink_for: Returns by how much the decoder may shrink a source of a size.

        Returns:
            The size of the source, and the picture, which may be smaller by the shrink.

        Raises:
            UndecodableError: It cannot be decoded.
            DomainError: Its size differs from its head and is refused.
        """
        ...


@dataclass(frozen=True, slots=True)
class Derivative:
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
    derivatives: tuple[Derivative, ...]
    """The largest first, without whole pictures that are no wider than a smaller step."""


def render(engine: Engine, content: bytes, recipes: Sequence[Recipe]) -> Rendered:
    """Make every recipe of one source, which is decoded once."""
    source, opened = engine.open(content, lambda size: choose_shrink(size, list_targets(size, recipes)))
    scaled: dict[tuple[Shape, Size], Canvas] = {}
    derivatives: list[Derivative] = []
    for target in list_targets(source, recipes):
        key = (target.recipe.shape, target.size)
        if key not in scaled:
            scaled[key] = _nearest(scaled, target, opened).scaled(target.size)
        derivatives.append(_encode(scaled[key], target))
    red, green, blue = scaled[min(scaled, key=lambda key: key[1].width_px)].average()
    return Rendered(source.width_px, source.height_px, f"#{red:02x}{green:02x}{blue:02x}", tuple(derivatives))


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


def _encode(canvas: Canvas, target: Target) -> Derivative:
    recipe = target.recipe
    quality = recipe.quality - _AVIF_STEP if recipe.format is PictureFormat.AVIF else recipe.quality
    content = canvas.encode(recipe.format, max(1, quality))
    return Derivative(recipe, target.size.width_px, target.size.height_px, content)


def list_targets(source: Size, recipes: Sequence[Recipe]) -> list[Target]:
    """Return the targets, the largest first.

    Of the whole pictures that are wider than the source only the first remains: the others would be the same.
    """
    targets: list[Target] = []
    seen: set[tuple[PictureFormat, int]] = set()
    for recipe in sorted(recipes, key=lambda recipe: recipe.width_px):
        size = _target_size(source, recipe)
        if recipe.shape is Shape.WHOLE:
            if (recipe.format, size.width_px) in seen:
                continue
            seen.add((recipe.format, size.width_px))
        targets.append(Target(recipe, size))
    return targets[::-1]


def _target_size(source: Size, recipe: Recipe) -> Size:
    if recipe.shape is Shape.SQUARE:
        return Size(recipe.width_px, recipe.width_px)
    scale = min(1.0, recipe.width_px / source.width_px, _TALLEST * recipe.width_px / source.height_px)
    return Size(max(1, round(source.width_px * scale)), max(1, round(source.height_px * scale)))


def choose_shrink(source: Size, targets: Sequence[Target]) -> int:
    """Return by how much the decoder may shrink the source: 1, 2, 4 or 8."""
    ratio = min(_ratio(source, target) for target in targets)
    return next((shrink for shrink in _SHRINKS if ratio / shrink >= HEADROOM), 1)


def _ratio(source: Size, target: Target) -> float:
    if target.recipe.shape is Shape.SQUARE:
        return source.short_px / target.size.width_px
    return source.width_px / target.size.width_px


def backdrop_for(*, mean_luminance: float) -> int:
    """Return the grey behind a transparent picture: white, unless its visible part is nearly white.

    Args:
        mean_luminance: Of the visible part, 0 to 255, weighted by its alpha.
    """
    return _DARK if mean_luminance > _NEARLY_WHITE else WHITE

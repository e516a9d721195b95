"""Which sizes a source is scaled to, and in which steps: plain geometry, the same for every library."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import Recipe, Shape

# A decoder that halves is quick but a coarse filter: what it leaves must be scaled down by at least this much by a
# fine one. At 1.95 the likeness to a full decode is 0.996 (SSIM), at 1.4 it is 0.98, which can be seen in hair and
# leaves. Not 2, for then the most usual case, 4032 pixels to 512, would be decoded at twice the size.
HEADROOM: Final = 1.95
_SHRINKS: Final = (8, 4, 2)
_TALLEST: Final = 3


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


def list_targets(source: Size, recipes: Sequence[Recipe]) -> list[Target]:
    """Return what is to be made, the largest first.

    Of the whole pictures that cannot be as wide as asked only the first remains: the others would be the same.
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

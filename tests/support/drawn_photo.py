"""A drawn photograph for measuring: large, with detail at every scale, and free of copyright."""

from typing import Any, Final

import pyvips

_GRAIN: Final = 4.5


def draw_photo(width_px: int, height_px: int) -> Any:
    """Return a picture with soft shapes, textures, hard edges and a camera's grain, as an image of libvips."""
    shapes = _noise(width_px, height_px, first=1, last=9, fading=1.35, seed=1)
    # Where two fields of noise cross there are edges, as roofs and shoulders have them.
    edges = (_noise(width_px, height_px, first=2, last=6, fading=1.5, seed=50) > 0).ifthenelse(35, -35).gaussblur(0.8)
    channels = []
    for number in range(3):
        tint = pyvips.Image.perlin(width_px, height_px, cell_size=width_px // 3, seed=100 + number) * 40
        grain = pyvips.Image.gaussnoise(width_px, height_px, sigma=_GRAIN, mean=128, seed=200 + number)
        channels.append(shapes + edges + tint + grain)
    return channels[0].bandjoin(channels[1:]).cast("uchar").copy(interpretation="srgb").copy_memory()


def _noise(width_px: int, height_px: int, *, first: int, last: int, fading: float, seed: int) -> Any:
    """Add up noise of halving cells, each fainter than the one before."""
    total = pyvips.Image.black(width_px, height_px)
    for step in range(first, last + 1):
        cells = pyvips.Image.perlin(width_px, height_px, cell_size=max(width_px >> step, 4), seed=seed + step)
        total += cells * (80 / fading**step)
    return total

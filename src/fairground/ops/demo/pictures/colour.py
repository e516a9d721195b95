"""Colours by how bright and how vivid they look (Oklch), written as sRGB so that every SVG reader shows them."""

from dataclasses import dataclass
from math import cos, radians, sin
from random import Random
from typing import Self

PARTNER_HUES = (15, 40, 70, 195, 250, 300, 345)  # degrees; greens quarrel with most of their neighbours
LEAST_APART_DEGREES = 35
YELLOW_HUE = 95  # dark yellow is brown: the closer a hue is to this one, the lighter it must be drawn


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return '#rrggbb'. Lightness 0 to 1, chroma 0 to about 0.3, hue in degrees.

    A colour that a screen cannot show is made duller until it can. Matrices: https://bottosson.github.io/posts/oklab/.
    """
    channels = _linear_srgb(lightness, chroma, hue)
    while chroma > 0 and not 0 <= min(channels) <= max(channels) <= 1:
        chroma = max(chroma - 0.005, 0)
        channels = _linear_srgb(lightness, chroma, hue)
    return "#" + "".join(f"{round(_gamma(min(max(channel, 0), 1)) * 255):02x}" for channel in channels)


@dataclass(frozen=True, kw_only=True)
class Palette:
    """From dark to light, all of one hue; `glow` is a neighbour of it, `partner` and `spark` are of a second one."""

    ink: str
    deep: str
    main: str
    glow: str
    soft: str
    pale: str
    partner: str
    spark: str

    @classmethod
    def draw(cls, chance: Random, *, hue: int) -> Self:
        other = chance.choice([each for each in PARTNER_HUES if _apart(each, hue) >= LEAST_APART_DEGREES])
        lift = 0.16 * max(0, 1 - _apart(hue, YELLOW_HUE) / 60)
        return cls(
            ink=oklch(0.20, 0.05, hue),
            deep=oklch(0.36 + lift / 2, 0.11, hue),
            main=oklch(0.58 + lift, 0.17, hue),
            glow=oklch(0.72 + lift / 2, 0.16, hue + chance.choice([-40, 40])),
            soft=oklch(0.84, 0.08, hue),
            pale=oklch(0.965, 0.02, hue),
            partner=oklch(0.70, 0.17, other),
            spark=oklch(0.89, 0.11, other + 20),
        )


def _apart(one: float, other: float) -> float:
    """Return the degrees between two hues, 0 to 180."""
    return 180 - abs(abs(one - other) % 360 - 180)


def _linear_srgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _gamma(channel: float) -> float:
    # The transfer function of IEC 61966-2-1.
    return 12.92 * channel if channel <= 0.0031308 else 1.055 * channel ** (1 / 2.4) - 0.055  # noqa: PLR2004

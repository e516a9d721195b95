"""What motifs are drawn with: a sheet, its palette, and the few SVG shapes that they share.

Colours are chosen by how bright and how vivid they look (Oklch), and written as sRGB for every SVG reader.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from math import cos, radians, sin
from random import Random
from typing import Self

Point = tuple[float, float]
Attribute = str | float

PARTNER_HUES = (15, 40, 70, 195, 250, 300, 345)  # degrees; greens clash with most of their neighbours
LEAST_APART_DEGREES = 35
YELLOW_HUE = 95  # dark yellow is brown: the closer a hue is to this one, the lighter it must be drawn


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


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The motif is drawn around `centre`, in fractions of `unit`; both in user units, origin top left."""

    width: int
    height: int
    centre: Point
    unit: float
    initials: str
    chance: Random
    palette: Palette
    name: str

    def point(self, x: float, y: float) -> Point:
        """Return the place so many units to the right of the centre and below it."""
        return self.centre[0] + x * self.unit, self.centre[1] + y * self.unit

    def circle(self, x: float, y: float, radius: float, fill: str, **attributes: Attribute) -> str:
        """Return a circle around a place given, like its radius, in units."""
        cx, cy = self.point(x, y)
        return shape("circle", cx=cx, cy=cy, r=radius * self.unit, fill=fill, **attributes)

    def bar(self, x: float, y: float, width: float, height: float, fill: str, **attributes: Attribute) -> str:
        """Return a rectangle with its upper left corner at a place given, like its sizes, in units."""
        left, top = self.point(x, y)
        return shape("rect", x=left, y=top, width=width * self.unit, height=height * self.unit, fill=fill, **attributes)

    def polygon(self, points: Iterable[Point], fill: str, **attributes: Attribute) -> str:
        corners = " ".join(f"{number(x)} {number(y)}" for x, y in (self.point(*point) for point in points))
        return shape("path", d=f"M{corners}z", fill=fill, **attributes)

    def monogram(self, x: float, y: float, *, size: float, fill: str, serif: bool = False) -> str:
        """Return the initials, their middle at the place."""
        left, top = self.point(x, y)
        face = "Georgia,serif" if serif else "system-ui,Helvetica,sans-serif"
        return (
            f'<text x="{number(left)}" y="{number(top)}" dy=".35em" text-anchor="middle" font-family="{face}" '
            f'font-size="{number(size * self.unit)}" font-weight="700" fill="{fill}">{escape(self.initials)}</text>'
        )

    def backdrop(self, top: str, bottom: str) -> str:
        """Return a slanted gradient over the whole sheet, with a glow in one upper corner."""
        corner, glow = self.chance.choice("01"), self.palette.glow
        everything = f"M0 0h{self.width}v{self.height}H0z"
        return (
            f'<defs><linearGradient id="{self.name}a" x2=".4" y2="1"><stop stop-color="{top}"/>'
            f'<stop offset="1" stop-color="{bottom}"/></linearGradient><radialGradient id="{self.name}b" cx="{corner}" '
            f'cy="0" r=".9"><stop stop-color="{glow}" stop-opacity=".7"/><stop offset="1" stop-color="{glow}" '
            f'stop-opacity="0"/></radialGradient></defs><path d="{everything}" fill="url(#{self.name}a)"/>'
            f'<path d="{everything}" fill="url(#{self.name}b)"/>'
        )


def shape(tag: str, **attributes: Attribute) -> str:
    """Return an element; underscores in names become hyphens, numbers are rounded to a tenth."""
    written = "".join(
        f' {name.replace("_", "-")}="{value if isinstance(value, str) else number(value)}"'
        for name, value in attributes.items()
    )
    return f"<{tag}{written}/>"


def dots(places: Iterable[Point], width: float, colour: str, **attributes: Attribute) -> str:
    """Return equal dots as one path of round ends, which is a third as long as that many circles."""
    ends = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in places)
    return shape("path", d=ends, stroke=colour, stroke_width=width, stroke_linecap="round", **attributes)


def ripple(x: float, y: float, *, amplitude: float, half: float, count: int) -> str:
    """Return path data of a wave of so many half periods that starts at the place."""
    return f"M{x:.0f} {y:.0f}q{half / 2:.0f} {-2 * amplitude:.0f} {half:.0f} 0" + f"t{half:.0f} 0" * (count - 1)


def number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """Return '#rrggbb'. Lightness 0 to 1, chroma 0 to about 0.3, hue in degrees.

    A colour that a screen cannot show is made duller until it can. Matrices: https://bottosson.github.io/posts/oklab/.
    """
    channels = _linear_srgb(lightness, chroma, hue)
    while chroma > 0 and not 0 <= min(channels) <= max(channels) <= 1:
        chroma = max(chroma - 0.005, 0)
        channels = _linear_srgb(lightness, chroma, hue)
    return "#" + "".join(f"{round(_gamma(min(max(channel, 0), 1)) * 255):02x}" for channel in channels)


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

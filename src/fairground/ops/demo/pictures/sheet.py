"""What the motifs draw on and with: a sheet with its palette and chance, and the few SVG shapes they share."""

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from random import Random

from fairground.ops.demo.pictures.colour import Palette

Point = tuple[float, float]
Attribute = str | float


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """The motif stands around `centre`; its sizes are fractions of `unit`. Both are in user units, origin top left."""

    width: int
    height: int
    centre: Point
    unit: float
    initials: str
    chance: Random
    palette: Palette
    name: str

    def point(self, x: float, y: float) -> Point:
        """Return the place that lies so many units right of, and below, the centre."""
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
    """Return an element; underscores in names stand for hyphens, numbers are rounded to a tenth."""
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

"""The table: a plate from above, cut fruit, a bowl with steam. Food keeps its own colours on any table."""

from math import cos, pi, sin

from fairground.ops.demo.pictures.colour import oklch
from fairground.ops.demo.pictures.sheet import Sheet, number, ripple, shape

LEAF, HERB = oklch(0.55, 0.13, 145), oklch(0.68, 0.16, 135)
BERRY, CARROT, EGG = oklch(0.58, 0.20, 22), oklch(0.73, 0.17, 55), oklch(0.88, 0.15, 95)
FRUITS = (  # peel, flesh
    (oklch(0.75, 0.17, 60), oklch(0.84, 0.13, 70)),
    (oklch(0.88, 0.17, 100), oklch(0.94, 0.10, 102)),
    (oklch(0.70, 0.18, 130), oklch(0.90, 0.12, 122)),
    (oklch(0.78, 0.15, 50), oklch(0.72, 0.16, 20)),
)


def draw_plate(sheet: Sheet) -> str:
    colours = sheet.palette
    return (
        sheet.backdrop(colours.main, colours.deep)
        + _draw_cutlery(sheet)
        + sheet.circle(0.012, 0.03, 0.425, colours.ink, opacity=0.3)
        + sheet.circle(0, 0, 0.415, colours.pale)
        + sheet.circle(0, 0, 0.295, "none", stroke=colours.soft, stroke_width=4)
        + _draw_garnish(sheet)
        + sheet.monogram(0, 0, size=0.22, fill=colours.deep, serif=True)
    )


def _draw_cutlery(sheet: Sheet) -> str:
    steel = sheet.palette.pale
    tines = "".join(sheet.bar(-0.56 + offset, -0.33, 0.012, 0.18, steel, rx=4) for offset in (0, 0.026, 0.052))
    neck = sheet.bar(-0.56, -0.18, 0.064, 0.07, steel, rx=20)
    left, top = sheet.point(0.5, -0.33)
    bow, tip = (f"{number(x * sheet.unit)} {number(y * sheet.unit)}" for x, y in ((0.06, 0.13), (0.03, 0.3)))
    blade = shape("path", d=f"M{left:.0f} {top:.0f}q{bow} {tip}h{number(-0.03 * sheet.unit)}z", fill=steel)
    handles = sheet.bar(-0.538, -0.16, 0.02, 0.5, steel, rx=7) + sheet.bar(0.5, -0.06, 0.022, 0.4, steel, rx=7)
    return tines + neck + blade + handles


def _draw_garnish(sheet: Sheet) -> str:
    """Leaves and berries along an arc of the rim."""
    begin, parts = sheet.chance.uniform(0, 2 * pi), []
    fruit = sheet.chance.choice([BERRY, CARROT, EGG])
    for index in range(9):
        angle = begin + index * 0.28
        x, y = 0.355 * cos(angle), 0.355 * sin(angle)
        if index % 3 == 2:  # noqa: PLR2004 - two leaves, then a berry
            parts.append(sheet.circle(x, y, sheet.chance.uniform(0.02, 0.03), fruit))
            continue
        left, top = sheet.point(x, y)
        size = sheet.chance.uniform(0.05, 0.07) * sheet.unit
        tilt = angle * 180 / pi + sheet.chance.uniform(40, 130)
        leaf = f"M{-size:.0f} 0Q0 {-0.8 * size:.0f} {size:.0f} 0Q0 {0.8 * size:.0f} {-size:.0f} 0z"
        place = f"translate({left:.0f} {top:.0f})rotate({tilt:.0f})"
        parts.append(shape("path", d=leaf, fill=(LEAF, HERB)[index % 2], transform=place))
    return "".join(parts)


def draw_slices(sheet: Sheet) -> str:
    """Citrus, cut across, around a label."""
    colours, chance = sheet.palette, sheet.chance
    peel, flesh = chance.choice(FRUITS)
    name = f"{sheet.name}s"
    spokes = "".join(
        f"M0 0L{44 * cos(turn):.0f} {44 * sin(turn):.0f}" for turn in (index * pi / 4 for index in range(8))
    )
    fruit = (
        f'<defs><g id="{name}"><circle r="60" fill="{peel}"/><circle r="53" fill="{colours.pale}"/>'
        f'<circle r="47" fill="{flesh}"/><path d="{spokes}" stroke="{colours.pale}" stroke-width="5"/></g></defs>'
    )
    begin, slices = chance.uniform(0, 2 * pi), []
    for index in range(9):
        angle, reach = begin + index * 2 * pi / 9, chance.uniform(0.44, 0.6)
        x, y = sheet.point(reach * cos(angle), reach * sin(angle))
        scale, turn = chance.uniform(1.3, 2.3) * sheet.unit / 800, chance.uniform(0, 45)
        place = f"translate({x:.0f} {y:.0f})scale({scale:.2f})rotate({turn:.0f})"
        slices.append(shape("use", href=f"#{name}", transform=place))
    return (
        sheet.backdrop(colours.main, colours.deep)
        + fruit
        + "".join(slices)
        + sheet.circle(0.01, 0.025, 0.33, colours.ink, opacity=0.3)
        + sheet.circle(0, 0, 0.32, colours.pale)
        + sheet.circle(0, 0, 0.295, "none", stroke=peel, stroke_width=4)
        + sheet.monogram(0, 0, size=0.24, fill=colours.deep, serif=True)
    )


def draw_bowl(sheet: Sheet) -> str:
    colours, chance, unit = sheet.palette, sheet.chance, sheet.unit
    fills = [LEAF, BERRY, EGG, HERB, CARROT]
    chance.shuffle(fills)
    heap = "".join(
        sheet.circle(x, 0.03, chance.uniform(0.1, 0.16), fill)
        for x, fill in zip((-0.27, 0.27, -0.1, 0.12, 0.01), fills, strict=True)
    )
    steam = "".join(
        shape(
            "path",
            d=ripple(0, 0, amplitude=0.035 * unit, half=0.1 * unit, count=2),
            fill="none",
            stroke=colours.pale,
            stroke_width=10,
            stroke_linecap="round",
            opacity=0.7,
            transform=f"translate({x:.0f} {y:.0f})rotate(-90)",
        )
        for x, y in (sheet.point(offset, chance.uniform(-0.22, -0.16)) for offset in (-0.16, 0, 0.16))
    )
    left, rim = sheet.point(-0.43, 0.03)
    bowl = f"M{left:.0f} {rim:.0f}a{number(0.43 * unit)} {number(0.36 * unit)} 0 0 0 {number(0.86 * unit)} 0z"
    return (
        sheet.backdrop(colours.main, colours.deep)
        + steam
        + heap
        + sheet.bar(-0.15, 0.36, 0.3, 0.055, colours.soft, rx=10)
        + shape("path", d=bowl, fill=colours.pale)
        + sheet.monogram(0, 0.19, size=0.21, fill=colours.deep, serif=True)
    )

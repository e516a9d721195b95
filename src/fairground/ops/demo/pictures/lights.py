"""Stage lights: spots over a crowd, a record, arches, a wall of sound."""

from math import pi, sin

from fairground.ops.demo.pictures.sheet import Point, Sheet, dots, number, shape


def draw_spots(sheet: Sheet) -> str:
    """Beams from above meet on the initials; the front row looks on."""
    colours, chance = sheet.palette, sheet.chance
    beam = f"{sheet.name}c"
    light = (
        f'<defs><linearGradient id="{beam}" x2="0" y2="1"><stop stop-color="{colours.spark}" stop-opacity=".85"/>'
        f'<stop offset="1" stop-color="{colours.spark}" stop-opacity=".08"/></linearGradient></defs>'
    )
    beams = []
    for lamp in (-0.62, -0.22, 0.2, 0.6):
        foot, spread = chance.uniform(-0.3, 0.3), chance.uniform(0.13, 0.2)
        beams.append(sheet.polygon([(lamp, -0.62), (foot - spread, 0.36), (foot + spread, 0.36)], f"url(#{beam})"))
    x, y = sheet.point(0, 0.36)
    floor = shape("ellipse", cx=x, cy=y, rx=0.6 * sheet.unit, ry=0.07 * sheet.unit, fill=colours.spark, opacity=0.5)
    return (
        sheet.backdrop(colours.deep, colours.ink)
        + light
        + "".join(beams)
        + floor
        + sheet.monogram(0, 0.04, size=0.34, fill=colours.pale)
        + _draw_crowd(sheet)
    )


def _draw_crowd(sheet: Sheet) -> str:
    """Heads and shoulders in the dark, to the lower edge of the sheet."""
    step = 0.085 * sheet.unit
    _, brow = sheet.point(0, 0.37)
    heads: list[Point] = [
        (index * step, brow + sheet.chance.uniform(0, 0.05) * sheet.unit)
        for index in range(int(sheet.width / step) + 2)
    ]
    shoulders = [(x, y + 0.95 * step) for x, y in heads]
    below = brow + 0.13 * sheet.unit
    ink = sheet.palette.ink
    return (
        dots(heads, 0.75 * step, ink)
        + dots(shoulders, 1.25 * step, ink)
        + shape("path", d=f"M0 {below:.0f}h{sheet.width}v{sheet.height}H0z", fill=ink)
    )


def draw_record(sheet: Sheet) -> str:
    colours = sheet.palette
    grooves = "".join(
        sheet.circle(0, 0, radius, "none", stroke=colours.pale, stroke_opacity=0.14, stroke_width=2)
        for radius in (0.4, 0.355, 0.31, 0.265)
    )
    turn = sheet.chance.uniform(-50, 50)
    x, y = sheet.centre
    shine = sheet.polygon(
        [(-0.09, -0.43), (0.09, -0.43), (-0.09, 0.43), (0.09, 0.43)],
        colours.soft,
        opacity=0.2,
        transform=f"rotate({turn:.0f} {x:.0f} {y:.0f})",
    )
    arm = " ".join(f"{number(x)} {number(y)}" for x, y in map(sheet.point, (0.53, 0.51, 0.33), (-0.42, 0.1, 0.27)))
    return (
        sheet.backdrop(colours.main, colours.deep)
        + sheet.circle(0.015, 0.03, 0.45, colours.ink, opacity=0.35)
        + sheet.circle(0, 0, 0.44, colours.ink)
        + grooves
        + shine
        + sheet.circle(0, 0, 0.19, colours.spark)
        + sheet.monogram(0, 0, size=0.17, fill=colours.ink)
        + shape(
            "path",
            d=f"M{arm}",
            fill="none",
            stroke=colours.pale,
            stroke_width=11,
            stroke_linecap="round",
            stroke_linejoin="round",
        )
        + sheet.circle(0.53, -0.42, 0.05, colours.pale)
    )


def draw_arches(sheet: Sheet) -> str:
    """A stage shell of arches, one inside the other, under stars."""
    colours, chance = sheet.palette, sheet.chance
    fills = (colours.deep, colours.main, colours.partner, colours.spark, colours.ink)
    arches = []
    for fill, radius in zip(fills, (0.66, 0.55, 0.45, 0.36, 0.28), strict=True):
        left, top = sheet.point(-radius, 0.02)
        size, span = number(radius * sheet.unit), number(2 * radius * sheet.unit)
        vault = f"a{size} {size} 0 0 1 {span} 0"
        arches.append(shape("path", d=f"M{left:.0f} {sheet.height}V{top:.0f}{vault}V{sheet.height}z", fill=fill))
    stars = [(chance.uniform(0, sheet.width), chance.uniform(0, 0.4) * sheet.height) for _ in range(16)]
    return (
        sheet.backdrop(colours.ink, colours.deep)
        + dots(stars, 7, colours.spark)
        + "".join(arches)
        + sheet.monogram(0, 0.08, size=0.25, fill=colours.pale)
    )


def draw_sound(sheet: Sheet) -> str:
    """Bars of an equaliser around the middle line, in a slow swell."""
    colours, chance = sheet.palette, sheet.chance
    step, phase = 0.075 * sheet.unit, chance.uniform(0, 2 * pi)
    bars = []
    for index in range(int(sheet.width / step) + 1):
        swell = 0.5 + 0.5 * sin(phase + index * 0.6)
        half = (0.04 + 0.3 * swell * chance.uniform(0.7, 1)) * sheet.unit
        bars.append(f"M{index * step:.0f} {sheet.centre[1] - half:.0f}v{2 * half:.0f}")
    lines = "".join(
        shape("path", d="".join(bars[first::3]), stroke=colour, stroke_width=0.55 * step, stroke_linecap="round")
        for first, colour in enumerate((colours.partner, colours.spark, colours.partner))
    )
    return (
        sheet.backdrop(colours.deep, colours.ink)
        + lines
        + sheet.circle(0, 0, 0.29, colours.ink)
        + sheet.circle(0, 0, 0.29, "none", stroke=colours.pale, stroke_width=6)
        + sheet.monogram(0, 0, size=0.25, fill=colours.pale)
    )

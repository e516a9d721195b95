"""The motifs of generated pictures, each in several compositions.

`lights` is a stage: spots over a crowd, a record, arches, a wall of sound. `plates` is a table: a plate from above, cut
fruit, a bowl with steam; food keeps its own colours on any table. `books` is a study: a book, a pile of books, a
drawing on a board. `waves` is hills and a sun, for a vertical without a motif of its own.
"""

from math import cos, pi, sin

from fairground.ops.demo.pictures.sheet import Point, Sheet, dots, number, oklch, ripple, shape

LEAF, HERB = oklch(0.55, 0.13, 145), oklch(0.68, 0.16, 135)
BERRY, CARROT, EGG = oklch(0.58, 0.20, 22), oklch(0.73, 0.17, 55), oklch(0.88, 0.15, 95)
FRUITS = (  # peel, flesh
    (oklch(0.75, 0.17, 60), oklch(0.84, 0.13, 70)),
    (oklch(0.88, 0.17, 100), oklch(0.94, 0.10, 102)),
    (oklch(0.70, 0.18, 130), oklch(0.90, 0.12, 122)),
    (oklch(0.78, 0.15, 50), oklch(0.72, 0.16, 20)),
)


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


def draw_book(sheet: Sheet) -> str:
    colours = sheet.palette
    tilt = sheet.chance.uniform(3, 8) * sheet.chance.choice([-1, 1])
    x, y = (number(place) for place in sheet.centre)
    lines = "".join(
        sheet.bar(0.025 - width / 2, top, width, 0.014, colours.spark, rx=4)
        for top, width in ((0.15, 0.3), (0.2, 0.18))
    )
    return (
        sheet.backdrop(colours.soft, colours.main)
        + sheet.bar(-0.29, -0.4, 0.58, 0.8, colours.partner, rx=14, transform=f"rotate({-2 * tilt:.0f} {x} {y})")
        + f'<g transform="rotate({tilt:.0f} {x} {y})">'
        + sheet.bar(-0.26, -0.385, 0.58, 0.8, colours.pale, rx=10)
        + sheet.bar(-0.29, -0.4, 0.58, 0.8, colours.deep, rx=14)
        + sheet.bar(-0.235, -0.4, 0.012, 0.8, colours.main)
        + sheet.circle(0.025, -0.1, 0.18, colours.spark)
        + sheet.monogram(0.025, -0.1, size=0.18, fill=colours.deep, serif=True)
        + f"{lines}</g>"
    )


def draw_pile(sheet: Sheet) -> str:
    """Books lying on each other, something round on top."""
    colours, chance = sheet.palette, sheet.chance
    fills = [colours.deep, colours.partner, colours.pale, colours.spark]
    chance.shuffle(fills)
    books, top = [], 0.56
    for fill in fills:
        height, width, left = chance.uniform(0.1, 0.13), chance.uniform(0.62, 0.86), chance.uniform(-0.45, -0.33)
        top -= height
        books.append(sheet.bar(left, top, width, height, fill, rx=10))
        bands = (left + width - 0.16, left + width - 0.12)
        books += [sheet.bar(band, top, 0.016, height, colours.main, opacity=0.55) for band in bands]
    return (
        sheet.backdrop(colours.soft, colours.main)
        + sheet.bar(-3, 0.54, 6, 1, colours.deep, opacity=0.4)
        + sheet.circle(0, top - 0.24, 0.24, colours.deep)
        + sheet.circle(0, top - 0.24, 0.21, "none", stroke=colours.spark, stroke_width=4)
        + sheet.monogram(0, top - 0.24, size=0.19, fill=colours.pale, serif=True)
        + "".join(books)
    )


def draw_board(sheet: Sheet) -> str:
    """A wave, a triangle and construction lines in chalk."""
    colours, chance, unit = sheet.palette, sheet.chance, sheet.unit
    columns = "".join(f"M{x} 0v{sheet.height}" for x in range(40, sheet.width, 80))
    rows = "".join(f"M0 {y}h{sheet.width}" for y in range(40, sheet.height, 80))
    half = chance.uniform(0.25, 0.4) * unit
    start, middle = -chance.uniform(0, 1) * half, sheet.centre[1] + 0.1 * unit
    wave = ripple(start, middle, amplitude=0.2 * unit, half=half, count=int(sheet.width / half) + 2)
    corners = [
        (chance.uniform(-0.55, -0.45), 0.38),
        (chance.uniform(0.35, 0.5), 0.38),
        (chance.uniform(-0.3, 0.3), -0.43),
    ]
    return (
        sheet.backdrop(colours.deep, colours.ink)
        + shape("path", d=columns + rows, stroke=colours.soft, stroke_opacity=0.12, stroke_width=2)
        + sheet.polygon(
            corners, colours.main, fill_opacity=0.4, stroke=colours.spark, stroke_width=6, stroke_linejoin="round"
        )
        + shape("path", d=wave, fill="none", stroke=colours.partner, stroke_width=7)
        + sheet.circle(0, 0, 0.43, "none", stroke=colours.soft, stroke_dasharray="4 14", stroke_width=5)
        + sheet.circle(0, 0, 0.26, colours.ink)
        + sheet.circle(0, 0, 0.26, "none", stroke=colours.pale, stroke_width=6)
        + sheet.monogram(0, 0, size=0.2, fill=colours.pale, serif=True)
    )


def draw_hills(sheet: Sheet) -> str:
    colours, chance = sheet.palette, sheet.chance
    hills = []
    for fill, level in ((colours.partner, 0.2), (colours.main, 0.3), (colours.deep, 0.4)):
        half = chance.uniform(0.5, 0.8) * sheet.unit
        start, base = -chance.uniform(0, 1) * half, sheet.centre[1] + level * sheet.unit
        crest = ripple(start, base, amplitude=0.05 * sheet.unit, half=half, count=int(sheet.width / half) + 2)
        hills.append(shape("path", d=f"{crest}V{sheet.height}H0z", fill=fill))
    return (
        sheet.backdrop(colours.soft, colours.pale)
        + sheet.circle(0, -0.06, 0.32, colours.spark)
        + sheet.monogram(0, -0.06, size=0.25, fill=colours.deep)
        + "".join(hills)
    )

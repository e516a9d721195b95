"""The desk: a book, a pile of books, a drawing on the board."""

from fairground.ops.demo.pictures.sheet import Sheet, number, ripple, shape


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

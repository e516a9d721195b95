"""Hills and a sun: for any vertical that has no motif of its own."""

from fairground.ops.demo.pictures.sheet import Sheet, ripple, shape


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

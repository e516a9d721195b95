"""Draws a provider's portrait or cover as SVG text of at most 3 KB, the same for the same seed."""

from collections.abc import Callable, Mapping
from random import Random
from zlib import crc32

from fairground.ops.demo.pictures import motifs
from fairground.ops.demo.pictures.sheet import Palette, Sheet
from fairground.ops.demo.plan import DemoPicture
from fairground.verticals.schema import Motif

COMPOSITIONS: Mapping[Motif, tuple[Callable[[Sheet], str], ...]] = {
    "lights": (motifs.draw_spots, motifs.draw_record, motifs.draw_arches, motifs.draw_sound),
    "plates": (motifs.draw_plate, motifs.draw_slices, motifs.draw_bowl),
    "books": (motifs.draw_book, motifs.draw_pile, motifs.draw_board),
    "waves": (motifs.draw_hills,),
}


def draw_portrait(picture: DemoPicture) -> str:
    """Return a square with the initials in the middle; nothing is lost when it is cropped to 3:2 or to a circle."""
    return _draw(picture, width=800, height=800, centre=(400, 400), unit=700)


def draw_cover(picture: DemoPicture) -> str:
    """Return a banner of 3:1 with the motif on the right, so that a heading has room on the left."""
    return _draw(picture, width=1200, height=400, centre=(880, 200), unit=400)


def _draw(picture: DemoPicture, *, width: int, height: int, centre: tuple[float, float], unit: float) -> str:
    chance = Random(picture.seed)  # noqa: S311 - the same seed must draw the same picture
    compose = chance.choice(COMPOSITIONS[picture.motif])
    sheet = Sheet(
        width=width,
        height=height,
        centre=centre,
        unit=unit,
        initials=picture.initials,
        chance=chance,
        palette=Palette.draw(chance, hue=picture.hue),
        # Gradients are found by id: pictures in one page must not share them.
        name=f"p{crc32(f'{picture.seed}{width}'.encode()):x}",
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{compose(sheet)}</svg>'

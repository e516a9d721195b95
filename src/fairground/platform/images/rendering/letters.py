"""Draws monograms, by Pillow and with letters of our own, so that they look the same on every server."""

import io
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont

from fairground.platform.images.monogram import MAGIC

SIDE_PX: Final = 512
_FONT: Final = Path(__file__).with_name("letters.ttf")
_INK: Final = "#fff"
_FIGURE: Final = ((180, 110, 332, 262), (106, 302, 406, 602))  # head and shoulders


def draw_monogram(source: bytes) -> bytes:
    """Return the PNG of what `monogram` gave."""
    colour, _, letters = source.removeprefix(MAGIC).decode().partition(" ")
    image = Image.new("RGB", (SIDE_PX, SIDE_PX), colour)
    draw, middle = ImageDraw.Draw(image), SIDE_PX // 2
    font = ImageFont.truetype(_FONT, 176 if len(letters) > 1 else 240)
    if letters and all(_has(font, letter) for letter in letters):
        # By the height of all capitals: letters with marks above would else stand lower than others.
        _, top, _, bottom = font.getbbox("H", anchor="ls")
        draw.text((middle, middle - (top + bottom) / 2), letters, fill=_INK, font=font, anchor="ms")
    else:
        for box in _FIGURE:
            draw.ellipse(box, fill=_INK)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _has(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Say whether a font can draw a letter; what it cannot, it draws as it draws U+FFFF, which is none."""
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))

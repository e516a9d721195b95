"""Pictures for tests: drawn here, stored by Pillow, with the metadata that a camera writes."""

import io
import re
from typing import Any, Final

from PIL import Image, ImageDraw, ImageFilter

ORIENTATION: Final = 0x0112
GPS: Final = 0x8825

# A camera that is held upright, upside down, … stores the scene turned by the first and says the second.
_STORED: Final = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
CORNERS: Final = ((220, 40, 40), (40, 180, 60), (50, 70, 210), (230, 200, 50))
"""Colours of the scene: left and right above, left and right below."""


def draw_scene(width_px: int, height_px: int) -> Image.Image:
    """Return a picture whose every corner has a colour of its own, and some detail all over."""
    scene = Image.new("RGB", (width_px, height_px))
    draw = ImageDraw.Draw(scene)
    half, middle = width_px // 2, height_px // 2
    boxes = (
        (0, 0, half, middle),
        (half, 0, width_px, middle),
        (0, middle, half, height_px),
        (half, middle, width_px, height_px),
    )
    for box, colour in zip(boxes, CORNERS, strict=True):
        draw.rectangle(box, fill=colour)
    for number in range(40):
        left, top = number * width_px // 40, (number * 7 % 40) * height_px // 40
        draw.ellipse((left, top, left + width_px // 60, top + height_px // 60), fill=(number * 6, 90, 255 - number * 6))
    return scene.filter(ImageFilter.GaussianBlur(1))


def photograph(
    width_px: int = 1600, height_px: int = 1200, *, kind: str = "JPEG", orientation: int = 1, **how: Any
) -> bytes:
    """Return a photo as a camera would store it: turned by its orientation, with the place in its EXIF."""
    return store(turned(draw_scene(width_px, height_px), orientation), kind, exif=exif(orientation), **how)


def turned(scene: Image.Image, orientation: int) -> Image.Image:
    """Return a scene as a camera with this orientation stores it."""
    turn = _STORED[orientation]
    return scene if turn is None else scene.transpose(turn)


def exif(orientation: int) -> bytes:
    written = Image.Exif()
    written[ORIENTATION] = orientation
    written[0x010F] = "Camera of a stranger"
    written[0x9003] = "2024:05:17 21:04:11"
    written[GPS] = {1: "N", 2: (59.0, 54.0, 49.0), 3: "E", 4: (10.0, 44.0, 28.0)}
    return bytes(written.tobytes())


XMP: Final = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><exif:GPSLatitude>59,54.82N</exif:GPSLatitude></x:xmpmeta>'


def store(image: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 90} | how))
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    image: Image.Image = Image.open(io.BytesIO(content))
    image.load()
    return image


def corners_of(image: Image.Image) -> list[tuple[int, int, int]]:
    """Return the colours a sixteenth away from each corner, in the order of `CORNERS`."""
    across, down = image.width // 16, image.height // 16
    right, bottom = image.width - 1 - across, image.height - 1 - down
    small = image.convert("RGB").filter(ImageFilter.BoxBlur(max(1, image.width // 60)))
    return [pixel(small, place) for place in ((across, down), (right, down), (across, bottom), (right, bottom))]


def pixel(image: Image.Image, place: tuple[int, int]) -> tuple[int, int, int]:
    """Return the colour of one pixel."""
    colour = image.convert("RGB").getpixel(place)
    assert isinstance(colour, tuple)
    red, green, blue = colour
    return red, green, blue


def is_upright(image: Image.Image) -> bool:
    return all(
        abs(one - other) < 70  # the smallest pictures are blurred
        for found, expected in zip(corners_of(image), CORNERS, strict=True)
        for one, other in zip(found, expected, strict=True)
    )


_TRACES: Final = re.compile(
    rb"Exif\x00\x00|EXIF|eXIf|XMP |xmpmeta|ns\.adobe\.com|ICC_PROFILE|ICCP|iCCP|Camera of|59,54|tEXt|PK\x03\x04|<script"
)


def list_traces(content: bytes) -> list[bytes]:
    """Return the metadata of a file.

    By its bytes, in which metadata of all four formats has a name that is not compressed, and by what Pillow reads.
    """
    image = opened(content)
    kept = [key for key in ("exif", "icc_profile", "xmp", "comment", "photoshop") if image.info.get(key)]
    return [*_TRACES.findall(content), *(key.encode() for key in kept), *map(str.encode, map(str, image.getexif()))]

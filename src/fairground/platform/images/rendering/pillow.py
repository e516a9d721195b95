"""Rendering by Pillow: monograms always, and pictures where libvips is missing, at three times its CPU time."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from PIL import Image, ImageCms, ImageDraw, ImageFont, ImageStat

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import MONOGRAM_MAGIC
from fairground.platform.images.refusals import refuse_size
from fairground.platform.images.rendering.canvas import WHITE, Size, UndecodableError, backdrop_for

_ORIENTATION: Final = 0x0112
# The turn that makes a picture upright, by its EXIF orientation.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPED: Final = range(5, 9)
_SRGB: Final = ImageCms.createProfile("sRGB")
_READ: Final = ("JPEG", "PNG", "WEBP", "AVIF")
# Every reader of Pillow fails with errors of its own.
_FAILURES: Final = (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError)

MONOGRAM_SIDE_PX: Final = 512
# The font comes with the program, so that monograms look the same on every server.
_MONOGRAM_FONT: Final = Path(__file__).with_name("letters.ttf")
_MONOGRAM_INK: Final = "#fff"
_MONOGRAM_FIGURE: Final = ((180, 110, 332, 262), (106, 302, 406, 602))  # head and shoulders


class PillowEngine:
    def open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, "PillowCanvas"]:
        try:
            return self._open(content, shrink_for)
        except _FAILURES as error:
            raise UndecodableError(str(error)) from error

    def _open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, "PillowCanvas"]:
        image: Image.Image = Image.open(io.BytesIO(content), formats=_READ)
        refuse_size(image.width, image.height)
        orientation = image.getexif().get(_ORIENTATION)
        size = Size(*image.size[::-1] if orientation in _SWAPPED else image.size)
        shrink = shrink_for(size)
        if image.format == "JPEG":
            image.draft(None, (image.width // shrink, image.height // shrink))
        elif shrink > 1:
            image = _to_eight_bits(image).reduce(shrink)
        image.load()
        profile = image.info.get("icc_profile")
        image = _flatten(_to_eight_bits(image))
        # Not by Pillow's exif_transpose: it rewrites the EXIF too, and fails where that is damaged.
        if orientation in _TURNS:
            image = image.transpose(_TURNS[orientation])
        return size, PillowCanvas(image, profile=profile)


class PillowCanvas:
    def __init__(self, image: Image.Image, *, profile: bytes | None) -> None:
        self._image = image
        self._profile = profile

    @property
    def size(self) -> Size:
        return Size(*self._image.size)

    def scaled(self, size: Size) -> "PillowCanvas":
        image = self._image.resize((size.width_px, size.height_px), Image.Resampling.LANCZOS, reducing_gap=2)
        return PillowCanvas(_to_srgb(image, self._profile), profile=None)

    def square(self) -> "PillowCanvas":
        side = self.size.short_px
        left, top = (self._image.width - side) // 2, (self._image.height - side) // 2
        return PillowCanvas(self._image.crop((left, top, left + side, top + side)), profile=self._profile)

    def encode(self, picture_format: PictureFormat, quality: int) -> bytes:
        # In some formats Pillow writes the metadata that it has read, by default.
        self._image.info.clear()
        how: dict[str, Any]
        match picture_format:
            case PictureFormat.JPEG:
                how = {"optimize": True}
            case PictureFormat.WEBP:
                how = {"method": 2}
            case PictureFormat.AVIF:
                how = {"speed": 9, "max_threads": 1}
            case PictureFormat.PNG:
                raise ValueError("PNG is only read.")
        out = io.BytesIO()
        self._image.save(out, picture_format.value, quality=quality, **how)
        return out.getvalue()

    def average(self) -> tuple[int, int, int]:
        red, green, blue = (round(mean) for mean in ImageStat.Stat(self._image).mean)
        return red, green, blue


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Return it in a mode that can be scaled and that keeps the alpha, if there is any."""
    if image.mode in {"RGB", "RGBA", "L", "LA", "CMYK"}:
        return image
    if image.mode.startswith("I"):
        # Sixteen bits of grey, which a plain conversion would cut off at 255.
        return image.convert("I").point(lambda value: value / 257).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _flatten(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    drawn = ImageStat.Stat(image.convert("L"), alpha) if alpha.getbbox() else None
    backdrop = backdrop_for(mean_luminance=drawn.mean[0]) if drawn else WHITE
    ground = Image.new("RGBA", image.size, (backdrop, backdrop, backdrop, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if profile is not None:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None  # the profile is damaged, the picture is not
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def draw_monogram(source: bytes) -> bytes:
    """Return the PNG of a source that `monogram` made."""
    colour, _, letters = source.removeprefix(MONOGRAM_MAGIC).decode().partition(" ")
    image = Image.new("RGB", (MONOGRAM_SIDE_PX, MONOGRAM_SIDE_PX), colour)
    draw, middle = ImageDraw.Draw(image), MONOGRAM_SIDE_PX // 2
    font = ImageFont.truetype(_MONOGRAM_FONT, 176 if len(letters) > 1 else 240)
    if letters and all(_has_letter(font, letter) for letter in letters):
        # Centred by the height of capitals: letters with marks above would else stand lower than others.
        _, top, _, bottom = font.getbbox("H", anchor="ls")
        draw.text((middle, middle - (top + bottom) / 2), letters, fill=_MONOGRAM_INK, font=font, anchor="ms")
    else:
        for box in _MONOGRAM_FIGURE:
            draw.ellipse(box, fill=_MONOGRAM_INK)
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _has_letter(font: ImageFont.FreeTypeFont, letter: str) -> bool:
    """Return whether the font has the letter: it draws every missing one like U+FFFF, which is no letter."""
    return bytes(font.getmask(letter)) != bytes(font.getmask("\uffff"))

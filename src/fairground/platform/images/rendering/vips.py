"""Rendering by libvips, which decodes JPEG at a fraction of its size and streams everything else."""

from collections.abc import Callable
from typing import Any, Final

import pyvips

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers import JPEG_MAGIC, PNG_MAGIC, is_webp
from fairground.platform.images.refusals import refuse_size
from fairground.platform.images.rendering.canvas import WHITE, Size, UndecodableError, backdrop_for

_LOADERS: Final = (
    "VipsForeignLoadJpegSource",
    "VipsForeignLoadPngSource",
    "VipsForeignLoadWebpSource",
    "VipsForeignLoadHeifSource",
)
_TURNED: Final = range(5, 9)  # EXIF orientations that swap width and height
_DEEP: Final = ("rgb16", "grey16")
_GREY_BANDS: Final = 2
_PROFILE: Final = "icc-profile-data"
_MEAN: Final = 4
# The message of the library may quote the file, and is then not valid UTF-8.
_FAILURES: Final = (pyvips.Error, UnicodeDecodeError)


class VipsEngine:
    def __init__(self) -> None:
        # Each picture is rendered once and then stored: libvips' cache of operations would only hold memory.
        pyvips.cache_set_max(0)
        pyvips.concurrency_set(1)
        pyvips.block_untrusted_set(True)
        # Of the trusted loaders, only those of the formats that admission accepts.
        pyvips.operation_block_set("VipsForeignLoad", True)
        for loader in _LOADERS:
            pyvips.operation_block_set(loader, False)

    def open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, "VipsCanvas"]:
        try:
            return self._open(content, shrink_for)
        except _FAILURES as error:
            # A message that was not valid UTF-8 stays in the buffer, and would become the next picture's error.
            pyvips.vips_lib.vips_error_clear()
            raise UndecodableError(str(error)) from error

    def _open(self, content: bytes, shrink_for: Callable[[Size], int]) -> tuple[Size, "VipsCanvas"]:
        head = _load(content)
        refuse_size(head.width, head.height)
        size = _upright(head)
        shrink = shrink_for(size)
        image = _load(content, shrink) if shrink > 1 and content.startswith(JPEG_MAGIC) else head
        if image.interpretation in _DEEP:
            image = image.colourspace("srgb")
        if image.hasalpha():
            image = _flatten(_shrunk(image.premultiply().cast("uchar"), head, shrink).copy_memory())
        else:
            image = _shrunk(image, head, shrink).copy_memory()
        if image.get_typeof("orientation") and image.get("orientation") > 1:
            image = image.autorot().copy_memory()
        return size, VipsCanvas(image)


class VipsCanvas:
    def __init__(self, image: Any) -> None:
        self._image = image

    @property
    def size(self) -> Size:
        return Size(self._image.width, self._image.height)

    def scaled(self, size: Size) -> "VipsCanvas":
        across, down = size.width_px / self._image.width, size.height_px / self._image.height
        image = self._image.resize(across, vscale=down, kernel="lanczos3")
        return VipsCanvas(_to_srgb(image).copy_memory())

    def square(self) -> "VipsCanvas":
        side = self.size.short_px
        left, top = (self._image.width - side) // 2, (self._image.height - side) // 2
        return VipsCanvas(self._image.crop(left, top, side, side))

    def encode(self, picture_format: PictureFormat, quality: int) -> bytes:
        content: bytes
        match picture_format:
            case PictureFormat.JPEG:
                content = self._image.jpegsave_buffer(Q=quality, optimize_coding=True, keep="none")
            case PictureFormat.WEBP:
                content = self._image.webpsave_buffer(Q=quality, effort=2, keep="none")
            case PictureFormat.AVIF:
                content = self._image.heifsave_buffer(Q=quality, compression="av1", effort=0, keep="none")
            case PictureFormat.PNG:
                raise ValueError("PNG is only read.")
        return content

    def average(self) -> tuple[int, int, int]:
        statistics = self._image.stats()  # a row for each colour, below the one of all
        red, green, blue = (round(statistics.getpoint(_MEAN, row)[0]) for row in (1, 2, 3))
        return red, green, blue


def _load(content: bytes, shrink: int = 1) -> Any:
    # The first bytes choose the loader: the library's own choice would admit more kinds than `headers` reads.
    # A source is not copied, as a buffer is. Damage is an error, not a grey stripe.
    source, how = pyvips.Source.new_from_memory(content), {"access": "sequential", "fail_on": "error"}
    if content.startswith(JPEG_MAGIC):
        return pyvips.Image.jpegload_source(source, shrink=shrink, **how)
    if content.startswith(PNG_MAGIC):
        return pyvips.Image.pngload_source(source, **how)
    if is_webp(content[:16]):
        return pyvips.Image.webpload_source(source, **how)
    return pyvips.Image.heifload_source(source, **how)


def _upright(image: Any) -> Size:
    if image.get_typeof("orientation") and image.get("orientation") in _TURNED:
        return Size(image.height, image.width)
    return Size(image.width, image.height)


def _shrunk(image: Any, head: Any, shrink: int) -> Any:
    """Shrink unless the decoder has done so, as that of JPEG does."""
    if shrink == 1 or image.width < head.width:
        return image
    return image.shrink(shrink, shrink)


def _flatten(premultiplied: Any) -> Any:
    """Return a picture, whose colours are premultiplied by their alpha, on its backdrop."""
    colours = premultiplied[: premultiplied.bands - 1]
    alpha = premultiplied[premultiplied.bands - 1]
    weight = alpha.avg() / 255
    backdrop = backdrop_for(mean_luminance=colours.avg() / weight) if weight else WHITE
    flat = (colours + (255 - alpha) * (backdrop / 255)).rint().cast("uchar")
    return flat.copy(interpretation="srgb" if flat.bands > _GREY_BANDS else "b-w").copy_memory()


def _to_srgb(image: Any) -> Any:
    """Convert colours, which costs more than decoding, only after scaling and only where a profile asks for it."""
    if image.get_typeof(_PROFILE):
        try:
            converted = image.icc_transform("srgb", embedded=True, intent="perceptual").copy_memory()
        except _FAILURES:
            converted = image.colourspace("srgb")  # the profile is damaged, the picture is not
        converted = converted.copy()
        converted.remove(_PROFILE)
        return converted
    return image if image.interpretation == "srgb" else image.colourspace("srgb")

"""Pictures in pages: the sizes from which a browser chooses, which no other file names, and providers' pictures."""

import re
from dataclasses import dataclass
from typing import Final

from fairground.contracts.providers import ProviderNotFound, Providers

# What the image proxy can resize. Drawings, and what an operator has put elsewhere, stay as they are.
_RESIZABLE: Final = re.compile(r"/api/v1/img/[0-9a-z/-]+(\?v=[0-9a-z]+)?")

_QUALITY_BY_WIDTH: Final = {96: 80, 192: 75, 256: 70, 320: 70, 400: 65, 512: 60, 640: 60, 800: 60, 1024: 60}
"""Quality of squares. Wide ones are loaded by dense screens, whose pixels are too small to show a lower quality."""

_GALLERY: Final = {400: 80, 800: 85, 1200: 90}
"""Quality by width of the gallery renditions of every upload, as WebP and JPEG: the recipes of platform/images."""


@dataclass(frozen=True, slots=True)
class PicturePlace:
    """A place of a page for a square picture."""

    sizes: str
    """Its width, as the attribute `sizes` states it."""
    widths_px: tuple[int, ...]
    """For one to three pixels of the screen to a CSS pixel."""


SQUARES: Final = {
    # Two in a row up to 36rem, and what the columns of .grid.cards come to above that.
    "card": PicturePlace(
        "(max-width: 36rem) calc(50vw - 1.6rem), (max-width: 58rem) 44vw, 20rem", (192, 256, 320, 400, 512, 640)
    ),
    "row": PicturePlace("clamp(13rem, 62vw, 16.6rem)", (256, 320, 400, 512, 640, 800)),
    "hero": PicturePlace("10rem", (192, 320, 512)),
    "head": PicturePlace("(max-width: 40rem) 92vw, 15rem", (256, 400, 512, 640, 800, 1024)),
    "thumb": PicturePlace("5.5rem", (96, 192, 320)),
}


LARGE: Final = "(max-width: 640px) 400px, (max-width: 1024px) 800px, 1200px"
"""Width of a whole picture on a page of its own, as the attribute `sizes` states it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The attributes of an image. Without a `srcset` there is one size of it."""

    src: str
    srcset: str = ""
    sizes: str = ""


def resize_url(url: str, *, width_px: int = 800, quality: int = 85, picture_format: str = "auto") -> str:
    """Return the address of a picture in a size; of one that cannot be resized, its own."""
    if not _RESIZABLE.fullmatch(url):
        return url
    return f"{url}{'&' if '?' in url else '?'}w={width_px}&q={quality}&fmt={picture_format}"


def offer_square(url: str, place: str) -> Offer:
    """Offer a portrait for a place named in SQUARES, in the format that the browser prefers.

    Each size is made on its first request, whatever its format, and AVIF is the smallest.
    """
    if not _RESIZABLE.fullmatch(url):
        return Offer(url)
    sizes, widths_px = SQUARES[place].sizes, SQUARES[place].widths_px
    named = (f"{resize_url(url, width_px=px, quality=_QUALITY_BY_WIDTH[px])} {px}w" for px in widths_px)
    return Offer(_listed_url(url), ", ".join(named), sizes)


def _listed_url(url: str) -> str:
    """Return what a browser without `srcset` loads: the size in which the API lists a portrait."""
    return f"{url}{'&' if '?' in url else '?'}w=256&dpr=2&q=90"


def offer_whole(url: str, picture_format: str, *, width_px: int, sizes: str) -> Offer:
    """Offer a whole picture in one of the formats that are rendered at upload.

    Args:
        width_px: The picture's own width, the largest one offered.
    """
    if not _RESIZABLE.fullmatch(url):
        return Offer(url)
    narrower = [px for px in _GALLERY if px < width_px]
    whole = [px for px in _GALLERY if px >= width_px][:1]
    named = (
        f"{resize_url(url, width_px=px, quality=_GALLERY[px], picture_format=picture_format)} {min(px, width_px)}w"
        for px in (*narrower, *whole)
    )
    return Offer(resize_url(url, picture_format=picture_format), ", ".join(named), sizes)


async def find_provider_picture(providers: Providers, *, slug: str) -> str | None:
    """Return the address of the picture of a booking's provider, which the booking itself does not keep.

    None when the provider has none, or is not public any more.
    """
    try:
        return (await providers.get_provider(id_or_slug=slug)).profile_picture_url
    except ProviderNotFound:
        return None

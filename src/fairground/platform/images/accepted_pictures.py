"""Decides from its head and structure whether a file is a picture that is decoded (docs/adr/0017-pictures.md)."""

from typing import BinaryIO, Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers import (
    JPEG_MAGIC,
    PNG_MAGIC,
    FileReader,
    Head,
    is_webp,
    list_avif_brands,
    read_avif_head,
    read_jpeg_head,
    read_png_head,
    read_webp_head,
)
from fairground.platform.images.refusals import (
    PictureAnimated,
    PictureEmpty,
    PictureTooHeavy,
    PictureTypeMismatch,
    PictureTypeRefused,
    heic_refused,
    unknown_refused,
)

_START_BYTES: Final = 1024
_READERS: Final = {
    PictureFormat.JPEG: read_jpeg_head,
    PictureFormat.PNG: read_png_head,
    PictureFormat.WEBP: read_webp_head,
    PictureFormat.AVIF: read_avif_head,
}
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# Other files that people send, by their first bytes.
_OTHERS: Final = {
    b"GIF8": "GIF",
    b"PK\x03\x04": "zip archive",
    b"%PDF": "PDF",
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"BM": "BMP",
    b"\x00\x00\x01\x00": "icon",
    b"8BPS": "Photoshop file",
}
# `image/jpg` is in no standard, and many programs send it.
_SAME_TYPE: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/octet-stream": ""}


def read_head(file: BinaryIO, *, bytes_max: int, media_type: str = "") -> Head:
    """Return the head of a whole picture of a kind and size that is decoded.

    Reads at most `bytes_max`, a small piece at a time. Bytes behind the picture are ignored: only the pixels are
    kept by the rendering.

    Args:
        media_type: The declaration of the sender; empty if there is none.

    Raises:
        PictureEmpty, PictureTooHeavy, PictureTypeRefused, PictureTypeMismatch: By size and first bytes.
        PictureTooLarge, PictureAnimated, PictureTooManyScans, PictureBroken: By its structure.
    """
    reader = FileReader(file)
    if reader.size_bytes == 0:
        raise PictureEmpty("The file is empty.")
    if reader.size_bytes > bytes_max:
        raise PictureTooHeavy(
            f"The file has {reader.size_bytes} bytes. The maximum is {bytes_max}.", bytes_max=bytes_max
        )
    kind = _recognise(reader.read_up_to(0, _START_BYTES))
    declared = media_type.partition(";")[0].strip().lower()
    if _SAME_TYPE.get(declared, declared) not in {"", kind.media_type}:
        raise PictureTypeMismatch(f"The file is declared as {declared[:60]}, but it is {kind.media_type}.")
    return _READERS[kind](reader)


def _recognise(start: bytes) -> PictureFormat:
    if start.startswith(JPEG_MAGIC):
        return PictureFormat.JPEG
    if start.startswith(PNG_MAGIC):
        return PictureFormat.PNG
    if is_webp(start):
        return PictureFormat.WEBP
    brands = list_avif_brands(start)
    if b"avif" in brands:
        return PictureFormat.AVIF
    if b"avis" in brands:
        raise PictureAnimated("The AVIF is animated.")
    raise _refusal(start, brands)


def _refusal(start: bytes, brands: tuple[bytes, ...]) -> PictureTypeRefused:
    if _HEIC_BRANDS.intersection(brands):
        return heic_refused()
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in text:
        return PictureTypeRefused("SVG files are not allowed, because they can contain scripts.")
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<script")):
        return PictureTypeRefused("The file is a document, not a picture.")
    kind = next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), None)
    return PictureTypeRefused(f"The file is a {kind}.") if kind else unknown_refused()

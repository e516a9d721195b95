"""Whether a file is a picture that we decode, told from its head and its structure: see docs/adr on pictures."""

from typing import BinaryIO, Final

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.headers import avif, jpeg, png, webp
from fairground.platform.images.headers.reading import Head, Pieces
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
    PictureFormat.JPEG: jpeg.read_head,
    PictureFormat.PNG: png.read_head,
    PictureFormat.WEBP: webp.read_head,
    PictureFormat.AVIF: avif.read_head,
}
_HEIC_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
# What people send instead, and how it begins.
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
# `image/jpg` is nobody's standard and many people's habit.
_SAME_TYPE: Final = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "application/octet-stream": ""}


def read_head(file: BinaryIO, *, bytes_max: int, media_type: str = "") -> Head:
    """Return what a file says of itself, if it is a whole picture of a kind and size that we decode.

    Reads at most `bytes_max`, a small piece at a time. Bytes behind the picture are not looked at: nothing but the
    pixels outlives the rendering.

    Args:
        media_type: As whoever sends the file declares it; empty when nobody did.

    Raises:
        PictureEmpty, PictureTooHeavy, PictureTypeRefused, PictureTypeMismatch: Told by size and first bytes.
        PictureTooLarge, PictureAnimated, PictureTooManyScans, PictureBroken: Told by its structure.
    """
    pieces = Pieces(file)
    if pieces.size_bytes == 0:
        raise PictureEmpty("The file is empty.")
    if pieces.size_bytes > bytes_max:
        raise PictureTooHeavy(
            f"The file has {pieces.size_bytes} bytes; at most {bytes_max} are taken.", bytes_max=bytes_max
        )
    kind = _recognise(pieces.up_to(0, _START_BYTES))
    declared = media_type.partition(";")[0].strip().lower()
    if _SAME_TYPE.get(declared, declared) not in {"", kind.media_type}:
        raise PictureTypeMismatch(f"The file is declared as {declared[:60]}, but it is {kind.media_type}.")
    return _READERS[kind](pieces)


def _recognise(start: bytes) -> PictureFormat:
    if start.startswith(jpeg.MAGIC):
        return PictureFormat.JPEG
    if start.startswith(png.MAGIC):
        return PictureFormat.PNG
    if webp.is_webp(start):
        return PictureFormat.WEBP
    brands = avif.list_brands(start)
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
        return PictureTypeRefused("The file is an SVG, which can carry programs.")
    if text.startswith((b"<!doctype", b"<html", b"<?xml", b"<script")):
        return PictureTypeRefused("The file is a document, not a picture.")
    kind = next((kind for magic, kind in _OTHERS.items() if start.startswith(magic)), None)
    return PictureTypeRefused(f"The file is a {kind}.") if kind else unknown_refused()

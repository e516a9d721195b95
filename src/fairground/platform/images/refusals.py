"""Limits of pictures, and the errors of refused ones. The hints are for people who do not know picture formats."""

from typing import Final

from fairground.kernel.errors import Invalid, Unavailable

PIXELS_MAX: Final = 60_000_000  # phones take 50 MP at most; a decoder needs up to six bytes for each
SIDE_MAX_PX: Final = 16_384
SCANS_MAX: Final = 100  # real progressive JPEGs have ten; a decoder works through the whole picture for each


class PictureEmpty(Invalid):
    code = "images.empty"
    hint = "Choose the file again; if it opens on your device, its upload was cut off."


class PictureTooHeavy(Invalid):
    code = "images.too_heavy"
    hint = "Save the picture with fewer pixels or a lower quality, and upload that."


class PictureTypeRefused(Invalid):
    code = "images.type_refused"
    hint = "Save the picture as JPEG, PNG, WebP or AVIF, and upload that."


class PictureTypeMismatch(Invalid):
    code = "images.type_mismatch"
    hint = "Send the file with the media type that it has, or leave the media type out."


class PictureTooLarge(Invalid):
    code = "images.too_large"
    hint = f"Scale the picture to at most {PIXELS_MAX // 1_000_000} megapixels and {SIDE_MAX_PX} pixels a side."


class PictureAnimated(Invalid):
    code = "images.animated"
    hint = "Save one frame of it as JPEG or PNG, and upload that."


class PictureTooManyScans(Invalid):
    code = "images.too_many_scans"
    hint = "Open the picture in any program for photographs, save it as an ordinary JPEG, and upload that."


class PictureBroken(Invalid):
    code = "images.broken"
    hint = "Open the picture on your device, save a copy as JPEG, and upload the copy."


class PictureTooCostly(Invalid):
    """Decoding failed, or took more memory or time than any honest picture."""

    code = "images.too_costly"
    hint = "Open the picture on your device, save a smaller copy as JPEG, and upload the copy."


REFUSALS: Final = (
    PictureEmpty,
    PictureTooHeavy,
    PictureTypeRefused,
    PictureTypeMismatch,
    PictureTooLarge,
    PictureAnimated,
    PictureTooManyScans,
    PictureBroken,
    PictureTooCostly,
)
"""Every error of a file that is refused as a picture."""


class RendererBusy(Unavailable):
    code = "images.renderer_busy"
    hint = "Many pictures are asked for at once; ask again in a moment."


class RendererUnavailable(Unavailable):
    code = "images.renderer_unavailable"


def heic_refused() -> PictureTypeRefused:
    return PictureTypeRefused(
        "The file is a HEIC photo, which browsers do not show.",
        hint="On an iPhone choose Settings, Camera, Formats, Most Compatible; or export the photo as JPEG.",
    )


def unknown_refused() -> PictureTypeRefused:
    return PictureTypeRefused("The file is no picture of a kind that we know.")


def refuse_size(width_px: int, height_px: int) -> None:
    """Check a picture's size: of the header before decoding, and of the decoder, which may differ.

    Raises:
        PictureBroken: A side is zero.
        PictureTooLarge: A side or the area exceeds what is decoded.
    """
    if width_px < 1 or height_px < 1:
        raise PictureBroken(f"The picture says that it is {width_px} × {height_px} pixels.")
    if width_px > SIDE_MAX_PX or height_px > SIDE_MAX_PX or width_px * height_px > PIXELS_MAX:
        raise PictureTooLarge(f"The picture has {width_px} × {height_px} pixels.")

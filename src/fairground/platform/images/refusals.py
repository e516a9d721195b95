"""Limits of pictures, and the errors of refused ones. The hints are for people who do not know picture formats."""

from typing import Final

from fairground.kernel.errors import Invalid, Unavailable

PIXELS_MAX: Final = 60_000_000  # phones take 50 MP at most; a decoder needs up to six bytes for each
SIDE_MAX_PX: Final = 16_384
SCANS_MAX: Final = 100  # real progressive JPEGs have ten; a decoder works through the whole picture for each


class PictureEmpty(Invalid):
    code = "images.empty"
    hint = "Choose the file again. If it opens on your device, the upload was interrupted."


class PictureTooHeavy(Invalid):
    code = "images.too_heavy"
    hint = "Save the picture smaller or at a lower quality and upload that."


class PictureTypeRefused(Invalid):
    code = "images.type_refused"
    hint = "Use JPEG, PNG, WebP or AVIF."


class PictureTypeMismatch(Invalid):
    code = "images.type_mismatch"
    hint = "Send the correct media type, or none."


class PictureTooLarge(Invalid):
    code = "images.too_large"
    hint = f"Resize the picture to at most {PIXELS_MAX // 1_000_000} megapixels and {SIDE_MAX_PX} pixels per side."


class PictureAnimated(Invalid):
    code = "images.animated"
    hint = "Save one frame as JPEG or PNG and upload that."


class PictureTooManyScans(Invalid):
    code = "images.too_many_scans"
    hint = "Open the picture in a photo app, save it as a JPEG and upload that."


class PictureBroken(Invalid):
    code = "images.broken"
    hint = "Save a copy as JPEG on your device and upload that."


class PictureTooCostly(Invalid):
    """Decoding failed, or took more memory or time than any honest picture."""

    code = "images.too_costly"
    hint = "Save a smaller copy as JPEG on your device and upload that."


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
    hint = "Too many pictures were requested at once. Try again in a moment."


class RendererUnavailable(Unavailable):
    code = "images.renderer_unavailable"


def heic_refused() -> PictureTypeRefused:
    return PictureTypeRefused(
        "HEIC photos are not supported.",
        hint="On an iPhone, go to Settings > Camera > Formats and choose Most Compatible, or export the photo as JPEG.",
    )


def unknown_refused() -> PictureTypeRefused:
    return PictureTypeRefused("Unsupported file type.")


def refuse_size(width_px: int, height_px: int) -> None:
    """Check a picture's size: of the header before decoding, and of the decoder, which may differ.

    Raises:
        PictureBroken: A side is zero.
        PictureTooLarge: A side or the area exceeds what is decoded.
    """
    if width_px < 1 or height_px < 1:
        raise PictureBroken(f"The picture claims to be {width_px} × {height_px} pixels.")
    if width_px > SIDE_MAX_PX or height_px > SIDE_MAX_PX or width_px * height_px > PIXELS_MAX:
        raise PictureTooLarge(f"The picture has {width_px} × {height_px} pixels.")

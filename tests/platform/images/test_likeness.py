"""The likeness of derivatives to a full decode with the best filter: SSIM of the luminance, 1 is the same."""

import io
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import pyvips
from PIL import Image

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, Recipe, Shape
from fairground.platform.images.rendering.canvas import HEADROOM, Engine, render
from tests.support.drawn_photo import draw_photo
from tests.support.pictures import opened

Figures = Callable[[str, float, str], None]
LEAST: Final = 0.995
# Twice the headroom: the decoder leaves to the filter as little as it ever does.
WORST: Final = 2 * HEADROOM


def exact(width_px: int, shape: Shape = Shape.WHOLE) -> Recipe:
    """Ask for a file that shows what scaling does, not what an encoder does."""
    return Recipe(shape, width_px, PictureFormat.JPEG, 100)


def reference(content: bytes, size: tuple[int, int]) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Return the mean SSIM, with the window and constants of Wang et al. (2004)."""
    x, y = (
        pyvips.Image.new_from_memory(image.convert("L").tobytes(), *image.size, 1, "uchar") for image in (one, other)
    )

    def blurred(image: Any) -> Any:
        return image.cast("float").gaussblur(1.5, precision="float")

    mean_x, mean_y = blurred(x), blurred(y)
    variance_x, variance_y = blurred(x * x) - mean_x * mean_x, blurred(y * y) - mean_y * mean_y
    covariance = blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_x * mean_y + c1) * (2 * covariance + c2)
    most = (mean_x * mean_x + mean_y * mean_y + c1) * (variance_x + variance_y + c2)
    return float((alike / most).avg())


@cache
def drawn(width_px: int) -> bytes:
    photo: bytes = draw_photo(width_px, width_px * 3 // 4).jpegsave_buffer(Q=90)
    return photo


def likeness_at(engine: Engine, content: bytes, width_px: int) -> float:
    (picture,) = render(engine, content, [exact(width_px)]).derivatives
    return likeness(opened(picture.content), reference(content, (picture.width_px, picture.height_px)))


def test_a_picture_is_like_itself_and_unlike_a_blurred_one() -> None:
    photo = opened(drawn(600))
    assert likeness(photo, photo) == pytest.approx(1)
    assert likeness(photo, photo.resize((150, 112)).resize(photo.size)) < 0.95


def test_a_quick_decode_shows_no_difference(engine: Engine, figure: Figures) -> None:
    photo = drawn(round(512 * WORST) + 1)
    found = likeness_at(engine, photo, 512)
    figure(f"SSIM of 512 px by {type(engine).__name__}, decoded at half size", found, "")
    assert found >= LEAST


def test_scaling_in_steps_shows_no_difference(engine: Engine, figure: Figures) -> None:
    photo = drawn(2400)
    pictures = render(engine, photo, [exact(width_px) for width_px in (400, 800, 1200)]).derivatives
    assert len(pictures) == 3
    for picture in pictures:
        found = likeness(opened(picture.content), reference(photo, (picture.width_px, picture.height_px)))
        figure(f"SSIM of {picture.width_px} px by {type(engine).__name__}, in steps", found, "")
        assert found >= LEAST


def test_an_avatar_from_its_master_shows_no_difference(engine: Engine, figure: Figures) -> None:
    photo = drawn(1800)
    (master,) = render(engine, photo, [MASTER]).derivatives
    whole = Image.open(io.BytesIO(photo))
    middle = whole.crop(((whole.width - whole.height) // 2, 0, (whole.width + whole.height) // 2, whole.height))
    for width_px in (96, 256, 512):
        (avatar,) = render(engine, master.content, [exact(width_px, Shape.SQUARE)]).derivatives
        found = likeness(opened(avatar.content), middle.resize((width_px, width_px), Image.Resampling.LANCZOS))
        figure(f"SSIM of an avatar of {width_px} px by {type(engine).__name__}, from its master", found, "")
        assert found >= 0.993  # scaled twice, and stored as JPEG in between


def test_real_camera_photos_show_no_difference(engine: Engine, real_data: Path, figure: Figures) -> None:
    """From small photos, sharp to the pixel, to all widths that a decoder may help with."""
    contents = [photo.read_bytes() for photo in sorted((real_data / "photos").glob("*.jpg"))]
    found = [likeness_at(engine, content, width_px) for content in contents for width_px in (75, 100, 128, 150, 164)]
    figure(f"SSIM of real photos by {type(engine).__name__}, mean", sum(found) / len(found), "")
    figure(f"SSIM of real photos by {type(engine).__name__}, least", min(found), "")
    assert sum(found) / len(found) >= LEAST

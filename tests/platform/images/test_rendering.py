import contextlib
import random
from pathlib import Path
from typing import Any, Final

import pytest
import pyvips
from PIL import Image, ImageChops, ImageStat

from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.recipes import MASTER, PLACEHOLDER, UPLOAD, Recipe, Shape, gallery
from fairground.platform.images.refusals import PictureTooLarge
from fairground.platform.images.rendering.canvas import Engine, Rendered, UndecodableError, render
from tests.support.hostile_pictures import png, png_chunk
from tests.support.pictures import XMP, draw_scene, is_upright, list_traces, opened, photograph, pixel, store

WRITTEN: Final = (PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF)


def square(width_px: int, picture_format: PictureFormat = PictureFormat.WEBP) -> Recipe:
    return Recipe(Shape.SQUARE, width_px, picture_format, 80)


def whole(width_px: int, picture_format: PictureFormat = PictureFormat.WEBP) -> Recipe:
    return Recipe(Shape.WHOLE, width_px, picture_format, 80)


def sizes_of(rendered: Rendered) -> dict[str, tuple[int, int]]:
    return {one.recipe.name: (one.width_px, one.height_px) for one in rendered.derivatives}


def difference(one: Image.Image, other: Image.Image) -> float:
    """Return by how much two pictures differ on average, of 255."""
    return float(sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) / 3)


def test_an_upload_gives_all_sizes_from_one_decode(engine: Engine) -> None:
    rendered = render(engine, photograph(1600, 1200), UPLOAD)
    assert (rendered.width_px, rendered.height_px) == (1600, 1200)
    assert sizes_of(rendered) == {
        "v1-whole-1200-q90.webp": (1200, 900),
        "v1-whole-1200-q90.jpeg": (1200, 900),
        "v1-square-1024-q92.jpeg": (1024, 1024),
        "v1-whole-800-q85.webp": (800, 600),
        "v1-whole-800-q85.jpeg": (800, 600),
        "v1-whole-400-q80.webp": (400, 300),
        "v1-whole-400-q80.jpeg": (400, 300),
        "v1-whole-16-q40.webp": (16, 12),
    }
    for one in rendered.derivatives:
        image = opened(one.content)
        assert image.format == one.recipe.format.name
        assert image.size == (one.width_px, one.height_px)


def test_placeholder_is_small_enough_for_a_page(engine: Engine) -> None:
    (placeholder,) = render(engine, photograph(), (PLACEHOLDER,)).derivatives
    assert len(placeholder.content) <= 150


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_of_a_camera_comes_out_upright(engine: Engine, orientation: int) -> None:
    rendered = render(engine, photograph(700, 500, orientation=orientation), UPLOAD)
    assert (rendered.width_px, rendered.height_px) == (700, 500)
    assert all(is_upright(opened(one.content)) for one in rendered.derivatives)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [3, 6])
def test_orientation_is_applied_in_every_format(engine: Engine, kind: str, orientation: int) -> None:
    rendered = render(engine, photograph(400, 300, kind=kind, orientation=orientation), (whole(200), square(100)))
    assert (rendered.width_px, rendered.height_px) == (400, 300)
    assert all(is_upright(opened(one.content)) for one in rendered.derivatives)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_derivatives_hold_no_metadata_of_the_file(engine: Engine, kind: str) -> None:
    extra: dict[str, Any] = {} if kind == "PNG" else {"xmp": XMP}
    source = (
        photograph(500, 400, kind=kind, icc_profile=_profile("p3"), **extra) + b"PK\x03\x04<script>alert(1)</script>"
    )
    assert list_traces(source)
    recipes = [
        recipe for picture_format in WRITTEN for recipe in (whole(300, picture_format), square(96, picture_format))
    ]
    rendered = render(engine, source, recipes)
    assert len(rendered.derivatives) == 6
    assert [list_traces(one.content) for one in rendered.derivatives] == [[]] * 6


def test_derivative_holds_no_comment_of_a_jpeg(engine: Engine) -> None:
    source = store(draw_scene(300, 200), "JPEG", comment=b"GPS 59,54.82N")
    (picture,) = render(engine, source, (whole(100, PictureFormat.JPEG),)).derivatives
    assert list_traces(source)
    assert list_traces(picture.content) == []


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_colours_of_a_profile_are_converted_after_scaling(engine: Engine, kind: str) -> None:
    scene = draw_scene(600, 400)
    wide = pyvips.Image.new_from_memory(scene.tobytes(), 600, 400, 3, "uchar").copy(interpretation="srgb")
    wide = wide.icc_transform("p3", input_profile="srgb")
    source = wide.write_to_buffer(f".{kind.lower()}", **({"Q": 95} if kind == "JPEG" else {}))
    (picture,) = render(engine, source, (whole(300, PictureFormat.WEBP),)).derivatives
    expected = scene.resize((300, 200), Image.Resampling.LANCZOS)
    untouched = opened(source)
    untouched.info.clear()
    assert difference(opened(picture.content), expected) < 3
    assert difference(untouched.resize((300, 200)), expected) > 5


def test_a_damaged_profile_does_not_cost_the_picture(engine: Engine) -> None:
    source = store(draw_scene(300, 200), "JPEG", icc_profile=b"\x00\x00\x01\x00nonsense" * 30)
    (picture,) = render(engine, source, (whole(100),)).derivatives
    assert is_upright(opened(picture.content))


def test_cmyk_colours_are_converted_to_srgb(engine: Engine) -> None:
    source = store(draw_scene(400, 300).convert("CMYK"), "JPEG")
    pictures = render(engine, source, (whole(200), square(100))).derivatives
    assert len(pictures) == 2
    for one in pictures:
        image = opened(one.content)
        assert image.mode == "RGB"
        red, _green, _blue = pixel(image, (10, 10))
        assert red > 120


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_a_png_of_any_colours_comes_out_in_colour(engine: Engine, mode: str) -> None:
    scene = draw_scene(300, 200)
    stored = (
        scene.convert("L").convert("I").point(lambda value: value * 257).convert(mode)
        if mode == "I;16"
        else scene.convert(mode)
    )
    (picture,) = render(engine, store(stored, "PNG"), (whole(100),)).derivatives
    assert opened(picture.content).mode == "RGB"
    expected = scene if mode in {"P", "RGBA"} else scene.convert("L")
    assert difference(opened(picture.content), expected.resize((100, 67))) < (60 if mode == "1" else 8)


def test_transparent_logo_is_flattened_on_white(engine: Engine) -> None:
    logo = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    logo.paste((200, 30, 30, 255), (100, 100, 300, 300))
    pictures = render(engine, store(logo, "PNG"), [square(100, kind) for kind in WRITTEN]).derivatives
    assert len(pictures) == len(WRITTEN) > 0
    for one in pictures:
        ground, drawn = pixel(opened(one.content), (5, 5)), pixel(opened(one.content), (50, 50))
        assert min(ground) > 245
        assert (drawn[0] > 180, drawn[1] < 60) == (True, True)


def test_white_transparent_logo_is_flattened_on_dark(engine: Engine) -> None:
    logo = Image.new("RGBA", (400, 400), (255, 255, 255, 0))
    logo.paste((255, 255, 255, 255), (100, 100, 300, 300))
    (picture,) = render(engine, store(logo, "WEBP", lossless=True), (square(100),)).derivatives
    assert max(pixel(opened(picture.content), (5, 5))) < 60


def test_wholly_transparent_picture_is_white(engine: Engine) -> None:
    (picture,) = render(engine, store(Image.new("RGBA", (90, 90), (0, 0, 0, 0)), "PNG"), (square(64),)).derivatives
    assert min(pixel(opened(picture.content), (30, 30))) > 250


@pytest.mark.parametrize("width_px", [16, 33, 96, 256, 512, 1024])
def test_an_avatar_is_exactly_as_wide_as_asked(engine: Engine, width_px: int) -> None:
    (master,) = render(engine, photograph(700, 500), (MASTER,)).derivatives
    assert (master.width_px, master.height_px) == (1024, 1024)
    (avatar,) = render(engine, master.content, (square(width_px),)).derivatives
    assert opened(avatar.content).size == (width_px, width_px)


def test_an_avatar_is_the_middle(engine: Engine) -> None:
    scene = Image.new("RGB", (900, 300), "red")
    scene.paste((0, 0, 255), (300, 0, 600, 300))
    for source in (scene, scene.transpose(Image.Transpose.ROTATE_90)):
        (avatar,) = render(engine, store(source, "JPEG"), (square(60),)).derivatives
        assert difference(opened(avatar.content), Image.new("RGB", (60, 60), (0, 0, 255))) < 6


def test_a_gallery_picture_is_never_enlarged_and_never_twice_the_same(engine: Engine) -> None:
    rendered = render(engine, photograph(600, 400), (*gallery(PictureFormat.WEBP), *gallery(PictureFormat.JPEG)))
    assert sizes_of(rendered) == {
        "v1-whole-800-q85.webp": (600, 400),
        "v1-whole-800-q85.jpeg": (600, 400),
        "v1-whole-400-q80.webp": (400, 267),
        "v1-whole-400-q80.jpeg": (400, 267),
    }


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (16_384, 2), (40, 9_000)])
def test_the_thinnest_picture_has_all_its_sizes(engine: Engine, size: tuple[int, int]) -> None:
    rendered = render(engine, store(Image.new("RGB", size, "teal"), "PNG"), UPLOAD)
    for one in rendered.derivatives:
        assert opened(one.content).size == (one.width_px, one.height_px)
        assert one.height_px <= 3 * one.recipe.width_px
    assert rendered.colour.startswith("#00")


def test_the_average_colour_is_that_of_the_whole(engine: Engine) -> None:
    rendered = render(engine, store(Image.new("RGB", (500, 400), (200, 100, 50)), "PNG"), UPLOAD)
    red, green, blue = (int(rendered.colour[at : at + 2], 16) for at in (1, 3, 5))
    assert abs(red - 200) + abs(green - 100) + abs(blue - 50) < 8


def test_the_same_recipe_makes_the_same_bytes(engine: Engine) -> None:
    source = photograph(900, 700)
    recipes = [recipe for kind in WRITTEN for recipe in (whole(400, kind), square(128, kind))]
    assert render(engine, source, recipes) == render(engine, source, recipes)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_both_engines_make_the_same_picture(kind: str, engine: Engine) -> None:
    source = store(draw_scene(1000, 800), kind)
    (picture,) = render(engine, source, (whole(300),)).derivatives
    assert difference(opened(picture.content), draw_scene(1000, 800).resize((300, 240), Image.Resampling.LANCZOS)) < 4


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_noise_in_place_of_a_picture_cannot_be_decoded(engine: Engine, kind: str) -> None:
    content = bytearray(photograph(600, 400, kind=kind))
    chance = random.Random(3)
    middle = len(content) // 3
    content[middle:-20] = chance.randbytes(len(content) - 20 - middle)
    with pytest.raises(UndecodableError):
        render(engine, bytes(content), (whole(100),))


def test_an_error_that_quotes_the_file_is_not_the_next_pictures_error(engine: Engine) -> None:
    quoted = photograph(200, 150, kind="AVIF", orientation=6).replace(b"irot", b"i\x9bot")
    with contextlib.suppress(UndecodableError):
        render(engine, quoted, (square(64),))
    assert render(engine, photograph(200, 150), (square(64),)).derivatives


def test_damaged_exif_does_not_cost_the_picture(engine: Engine) -> None:
    intact = photograph(400, 300, orientation=1)
    damaged = intact.replace(b"Camera of a stranger", b"\xff" * 20).replace(b"2024:05:17 21:04:11", b"\x00" * 19)
    at = damaged.index(b"Exif\x00\x00") + 16
    damaged = damaged[:at] + b"\x7f" * 8 + damaged[at + 8 :]
    (picture,) = render(engine, damaged, (whole(100),)).derivatives
    assert is_upright(opened(picture.content))


def test_size_that_only_the_decoder_sees_is_checked(engine: Engine) -> None:
    vast = png(17_320, 17_320, png_chunk(b"IDAT", b"x"), png_chunk(b"IEND", b""), depth=1, colour=0)
    with pytest.raises((PictureTooLarge, UndecodableError)):
        render(engine, vast, (whole(100),))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"P6 9 9 255 " + bytes(243),
        b"GIF89a" + bytes(99),
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"II*\x00" + bytes(99),
    ],
    ids=["nothing", "ppm", "gif", "svg", "tiff"],
)
def test_engines_refuse_other_formats(engine: Engine, content: bytes) -> None:
    with pytest.raises(UndecodableError):
        render(engine, content, (whole(100),))


def test_real_camera_photos_lose_their_location_and_keep_their_pixels(engine: Engine, real_data: Path) -> None:
    photos = sorted((real_data / "photos").glob("*.jpg"))
    assert photos
    for photo in photos:
        source = photo.read_bytes()
        assert list_traces(source)
        rendered = render(engine, source, UPLOAD)
        assert [list_traces(one.content) for one in rendered.derivatives] == [[]] * len(rendered.derivatives)
        shown = opened(source).convert("RGB")
        for one in rendered.derivatives:
            if one.recipe.shape is Shape.WHOLE and one.recipe != PLACEHOLDER:
                expected = shown.resize((one.width_px, one.height_px), Image.Resampling.LANCZOS)
                assert difference(opened(one.content), expected) < 10


def _profile(name: str) -> bytes:
    profile: bytes = (
        pyvips.Image.black(8, 8, bands=3)
        .copy(interpretation="srgb")
        .icc_transform(name, input_profile="srgb")
        .get("icc-profile-data")
    )
    return profile

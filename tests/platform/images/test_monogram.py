import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fairground.platform.images.child import EngineName
from fairground.platform.images.formats import PictureFormat
from fairground.platform.images.monogram import MONOGRAM_MAGIC, colour_of, contrast_with_white, initials, monogram
from fairground.platform.images.recipes import Recipe, Shape
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.pillow import MONOGRAM_SIDE_PX, draw_monogram
from fairground.platform.images.settings import ImageSettings
from tests.support.pictures import opened, pixel


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Maya Stone", "MS"),
        ("maya lee stone", "MS"),
        ("Cher", "C"),
        ("  DJ   Ötzi ", "DÖ"),
        ("E\u0301lodie Zane", "ÉZ"),
        ("ßen", "ß"),
        ("Юлия Жукова", "ЮЖ"),
        ("Ελένη Παπά", "ΕΠ"),
        ("ნინო ბერიძე", "ნბ"),
        ("山田 太郎", "山"),
        ("김민준", "김"),
        ("محمد علي", "م"),
        ("דוד לוי", "ד"),
        ("क्षितिज राय", "क्षि"),
        ("നീന", "നീ"),
        ("สมชาย ใจดี", "ส"),
        ("4 Non Blondes", "4"),
        ("The 1975", "T"),
        ("🎧 Nova & Co.", "NC"),
        ("(Studio) Kraft", "SK"),
        ("🎧🎧", ""),
        ("", ""),
        ('<script>alert("1")</script>', "S"),
    ],
)
def test_initials_of_a_name(name: str, letters: str) -> None:
    assert initials(name) == letters


@given(name=st.text(max_size=60), seed=st.text(max_size=40))
def test_monogram_of_any_name_is_drawn_on_its_colour(name: str, seed: str) -> None:
    drawing = opened(draw_monogram(monogram(name, seed=seed)))
    assert (drawing.size, drawing.mode) == ((MONOGRAM_SIDE_PX, MONOGRAM_SIDE_PX), "RGB")
    assert "#{:02x}{:02x}{:02x}".format(*pixel(drawing, (2, 2))) == colour_of(seed)
    assert _ink(drawing)


@pytest.mark.parametrize("name", ["Wim Wenders", "Юлия Жукова", "Øystein Ås", "Ẹniọlá Ỳ", "Ḿ Ǘ", "Ian Ill", "ნინო"])
def test_letters_fit_into_a_circular_crop(name: str) -> None:
    left, top, right, bottom = _ink(draw := opened(draw_monogram(monogram(name, seed=""))))
    middle = draw.width / 2
    corners = [(x - middle, y - middle) for x in (left, right) for y in (top, bottom)]
    assert max(across**2 + down**2 for across, down in corners) < middle**2
    assert abs((left + right) / 2 - middle) < 20


def test_name_in_a_script_without_letters_in_the_font_is_a_figure() -> None:
    figure = draw_monogram(monogram("", seed=""))
    assert draw_monogram(monogram("山田 太郎", seed="")) == figure
    assert draw_monogram(monogram("Maya", seed="")) != figure


@pytest.mark.parametrize("engine", [EngineName.VIPS, EngineName.PILLOW])
async def test_child_draws_a_monogram_in_any_format(engine: EngineName) -> None:
    source, renderer = monogram("Maya Stone", seed="1"), Renderer(ImageSettings(renderers=1), engine=engine)

    async def load() -> bytes:
        return source

    async with renderer.running():
        for kind in (PictureFormat.JPEG, PictureFormat.WEBP, PictureFormat.AVIF):
            (made,) = (await renderer.render("maya", (Recipe(Shape.SQUARE, 96, kind, 80),), load)).derivatives
            image = opened(made.content)
            assert (image.size, image.format) == ((96, 96), kind.name)
            assert max(abs(a - b) for a, b in zip(pixel(image, (3, 3)), _rgb(colour_of("1")), strict=True)) < 12


@given(seed=st.text(max_size=40))
def test_white_letters_can_be_read_on_every_colour(seed: str) -> None:
    assert contrast_with_white(colour_of(seed)) >= 4.5


def test_colour_follows_the_seed_and_not_the_name() -> None:
    colours = [colour_of(f"provider {number}") for number in range(200)]
    assert colours == [colour_of(f"provider {number}") for number in range(200)]
    assert len(set(colours)) > 150
    assert monogram("Maya", seed="a") != monogram("Maya", seed="b")
    assert monogram("Maya", seed="a").startswith(MONOGRAM_MAGIC)


def test_contrast_equals_the_values_of_wcag() -> None:
    assert contrast_with_white("#000000") == pytest.approx(21)
    assert contrast_with_white("#ffffff") == pytest.approx(1)
    assert contrast_with_white("#767676") == pytest.approx(4.54, abs=0.01)


def _ink(drawing: Image.Image) -> tuple[int, int, int, int]:
    """Return the box around what is white."""
    box = drawing.convert("L").point(lambda value: 255 if value > 220 else 0).getbbox()
    assert box is not None
    return box


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue

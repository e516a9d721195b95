"""Generated pictures are small, valid, the same for the same seed, and safe to show."""

import re
from collections.abc import Callable
from typing import get_args
from xml.etree import ElementTree as ET

import pytest

from fairground.ops.demo.pictures.draw import COMPOSITIONS, draw_cover, draw_portrait
from fairground.ops.demo.plan import DemoPicture
from fairground.ops.demo.plan_builder import build_plan
from fairground.verticals.loader import load_verticals
from fairground.verticals.schema import Motif

PICTURES = [provider.picture for provider in build_plan(seed=1, verticals=load_verticals()).providers]
EVERY_MOTIF = [
    DemoPicture(seed=str(seed), initials="WM", hue=seed * 30 % 360, motif=motif)
    for motif in get_args(Motif)
    for seed in range(24)
]


def test_a_picture_is_at_most_three_kilobytes_of_valid_svg() -> None:
    assert PICTURES
    assert EVERY_MOTIF
    for picture in PICTURES + EVERY_MOTIF:
        for text in (draw_portrait(picture), draw_cover(picture)):
            assert len(text.encode()) <= 3 * 1024
            assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"  # noqa: S314 - our own text


def test_equal_seeds_draw_equal_pictures_and_others_do_not() -> None:
    assert [draw_portrait(picture) for picture in PICTURES] == [draw_portrait(picture) for picture in PICTURES]
    assert len({draw_portrait(picture) for picture in PICTURES}) == len(PICTURES)


def test_every_motif_can_be_drawn() -> None:
    assert set(COMPOSITIONS) == set(get_args(Motif))


@pytest.mark.parametrize("draw", [draw_portrait, draw_cover])
def test_initials_cannot_smuggle_markup(draw: Callable[[DemoPicture], str]) -> None:
    text = draw(EVERY_MOTIF[0].model_copy(update={"initials": "<script>"}))
    assert "<script>" not in text


def test_a_picture_loads_nothing_from_elsewhere() -> None:
    assert EVERY_MOTIF
    for picture in EVERY_MOTIF:
        text = draw_cover(picture).replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|<script|\bstyle=|\bon\w+=|<foreignObject", text)
        assert all(reference.startswith("#p") for reference in re.findall(r'href="([^"]*)"', text))


def test_pictures_in_one_page_do_not_share_gradients() -> None:
    texts = [draw(picture) for picture in PICTURES for draw in (draw_portrait, draw_cover)]
    names = [name for text in texts for name in re.findall(r' id="([^"]*)"', text)]
    assert len(set(names)) == len(names)

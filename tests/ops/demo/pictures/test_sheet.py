"""Colours stay on the screen and initials can be read."""

from random import Random

import pytest

from fairground.ops.demo.pictures.sheet import Palette, oklch


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two '#rrggbb' colours as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return sum(weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True))

    darker, lighter = sorted([luminance(one), luminance(other)])
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("lightness", "chroma", "hue", "expected"),
    [(0, 0, 0, "#000000"), (1, 0, 0, "#ffffff"), (0.5999, 0, 0, "#808080"), (0.44027, 0.1603, 303.373, "#663399")],
)
def test_known_colours_are_met(lightness: float, chroma: float, hue: float, expected: str) -> None:
    assert oklch(lightness, chroma, hue) == expected


def test_a_colour_too_vivid_for_a_screen_is_made_duller_and_keeps_its_hue() -> None:
    red = oklch(0.63, 0.5, 29)
    assert red != oklch(0.63, 0.1, 29)
    assert int(red[1:3], 16) > 240
    assert int(red[3:5], 16) < 80


@pytest.mark.parametrize("hue", range(0, 360, 15))
def test_initials_stand_out_from_what_they_are_drawn_on(hue: int) -> None:
    colours = Palette.draw(Random(hue), hue=hue)
    for initials, ground in [
        (colours.pale, colours.ink),
        (colours.ink, colours.spark),
        (colours.deep, colours.pale),
        (colours.deep, colours.spark),
        (colours.pale, colours.deep),
    ]:
        assert contrast(initials, ground) >= 4.5

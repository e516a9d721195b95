"""What the style sheets promise: contrast in both schemes, and no direction that breaks right-to-left text."""

import re
from itertools import product

import pytest

from fairground.web.assets import STATIC_FOLDER, STYLE_SHEETS

TOKENS: dict[str, str] = dict(
    re.findall(r"--([\w-]+): light-dark\((#\w{6}, #\w{6})\)", (STATIC_FOLDER / "css" / "tokens.css").read_text())
)
TEXT_COLOURS = ("text", "muted", "accent", "accent-strong", "ok", "warn", "bad")
BACKGROUNDS = ("bg", "surface", "surface-2", "accent-soft")
SCHEMES = (0, 1)


def _colour(name: str, scheme: int) -> str:
    return TOKENS[name].split(", ")[scheme]


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("text", "background", "scheme"), list(product(TEXT_COLOURS, BACKGROUNDS, SCHEMES)))
def test_text_can_be_read_on_every_background(text: str, background: str, scheme: int) -> None:
    assert _contrast(_colour(text, scheme), _colour(background, scheme)) >= 4.5


@pytest.mark.parametrize(("kind", "scheme"), list(product(("ok", "warn", "bad"), SCHEMES)))
def test_messages_can_be_read_on_their_own_tint(kind: str, scheme: int) -> None:
    assert _contrast(_colour(kind, scheme), _colour(f"{kind}-soft", scheme)) >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES)
def test_buttons_can_be_read(scheme: int) -> None:
    for background in ("accent", "accent-strong"):
        assert _contrast(_colour("on-accent", scheme), _colour(background, scheme)) >= 4.5


@pytest.mark.parametrize(
    ("mark", "background", "scheme"), list(product(("field", "focus", "star"), BACKGROUNDS, SCHEMES))
)
def test_borders_of_fields_focus_and_stars_can_be_seen(mark: str, background: str, scheme: int) -> None:
    assert _contrast(_colour(mark, scheme), _colour(background, scheme)) >= 3


@pytest.mark.parametrize("name", STYLE_SHEETS)
def test_style_sheets_name_no_physical_side(name: str) -> None:
    sheet = (STATIC_FOLDER / "css" / f"{name}.css").read_text()
    assert not re.search(r"(margin|padding|border|inset)-(left|right)|[^-\w](left|right|width|height):", sheet)


def test_every_style_sheet_is_used() -> None:
    assert {path.stem for path in (STATIC_FOLDER / "css").iterdir()} == set(STYLE_SHEETS)

"""What the macros of ui/pictures.html write."""

import re

import pytest

from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.environment import build_environment

AVATAR = "/api/v1/img/avatar/0198c0de-0000-7000-8000-000000000002?v=0123456789ab"


def rendered(source: str) -> str:
    env = build_environment(Assets(), verticals=load_verticals())
    return env.from_string(source).render(url=AVATAR)


def attributes(source: str) -> dict[str, str]:
    """Return those of the one image that is rendered."""
    [image] = re.findall(r"<img ([^>]*)>", rendered(source))
    return dict(re.findall(r'([a-z]+)="([^"]*)"', image))


def test_a_portrait_is_offered_in_sizes_and_its_place_is_kept() -> None:
    image = attributes("{{ ui.portrait('Maya', url, 'card') }}")
    assert image["srcset"].startswith(f"{AVATAR}&amp;w=192&amp;q=75&amp;fmt=auto 192w, {AVATAR}&amp;w=256")
    assert image["sizes"].startswith("(max-width: 36rem)")
    assert (image["width"], image["height"], image["alt"]) == ("512", "512", "")
    assert (image["loading"], image["decoding"]) == ("lazy", "async")


@pytest.mark.parametrize(("turn", "is_first"), [(1, True), (2, False)])
def test_pictures_in_view_are_not_lazy_and_the_first_has_high_priority(turn: int, *, is_first: bool) -> None:
    image = attributes(f"{{{{ ui.portrait('Maya', url, 'head', turn={turn}, alt='Picture of Maya') }}}}")
    assert image.get("fetchpriority") == ("high" if is_first else None)
    assert "loading" not in image
    assert image["alt"] == "Picture of Maya"


def test_a_drawing_has_one_size() -> None:
    image = attributes("{{ ui.portrait('Maya', '/pictures/1.svg', 'card') }}")
    assert image["src"] == "/pictures/1.svg"
    assert {"srcset", "sizes"}.isdisjoint(image)


def test_provider_without_a_picture_has_initials() -> None:
    shown = rendered("{{ ui.portrait('Maya Rivera', none, 'card') }}")
    assert "<img" not in shown
    assert ">MR</span>" in shown

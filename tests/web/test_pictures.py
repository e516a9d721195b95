"""Pictures in pages: the sizes that are offered, the attributes of images, and the caps on what a device loads."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from fairground.platform.images import recipes
from fairground.platform.images.recipes import AVATAR_MAX_PX, DENSITY_MAX, GALLERY, LADDER_PX, QUALITY_MAX, WIDTH_MAX_PX
from fairground.platform.images.refusals import PIXELS_MAX, SIDE_MAX_PX
from fairground.platform.images.settings import ImageSettings
from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.pictures import SQUARES, Offer, offer_square, offer_whole, resize_url
from fairground.web.rendering import build_environment

PICTURE = "/api/v1/img/0198c0de-0000-7000-8000-000000000001?v=0123456789ab"
AVATAR = "/api/v1/img/avatar/0198c0de-0000-7000-8000-000000000002"
PORTRAIT = f"{AVATAR}?v=0123456789ab"
SIZES = "(max-width: 640px) 400px, (max-width: 1024px) 800px, 1200px"
OTHERS = ["/pictures/0198c0de.svg", "/media/pictures/1.webp", f"https://elsewhere.example{PICTURE}", f"{PICTURE}&w=9"]
GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "pictures.md").read_text()
PLACES = {
    "card of a list": SQUARES["card"].widths_px,
    "row of cards on the home page": SQUARES["row"].widths_px,
    "three pictures at the top of the home page": SQUARES["hero"].widths_px,
    "head of a provider's page": SQUARES["head"].widths_px,
    "thumbnail": SQUARES["thumb"].widths_px,
    "picture of a gallery": tuple(width_px for width_px, _ in GALLERY),
}


def candidates(offer: Offer) -> dict[str, str]:
    """Return the addresses by their widths."""
    return {width: url for url, width in (named.rsplit(" ", 1) for named in offer.srcset.split(", "))}


def test_resized_picture_is_800_wide_at_quality_85_in_the_best_format_by_default() -> None:
    assert resize_url(PICTURE) == f"{PICTURE}&w=800&q=85&fmt=auto"
    assert resize_url(AVATAR, width_px=96, quality=80) == f"{AVATAR}?w=96&q=80&fmt=auto"


@pytest.mark.parametrize("url", OTHERS)
def test_address_outside_the_proxy_is_unchanged(url: str) -> None:
    assert resize_url(url) == url
    assert offer_square(url, "card") == offer_whole(url, "webp", width_px=4000, sizes=SIZES) == Offer(url)


@pytest.mark.parametrize("place", SQUARES)
def test_squares_come_in_steps_of_the_ladder_none_twice_as_wide_as_the_one_before(place: str) -> None:
    offer, widths = offer_square(AVATAR, place), SQUARES[place].widths_px
    assert set(widths) <= set(LADDER_PX)
    assert max(widths) <= AVATAR_MAX_PX
    assert all(narrow < wide <= 2 * narrow for narrow, wide in pairwise(widths))
    assert list(candidates(offer)) == [f"{px}w" for px in widths]
    assert all("fmt=auto" in url for url in candidates(offer).values()), "AVIF for those who know it"
    assert offer.sizes == SQUARES[place].sizes


def test_whole_pictures_are_offered_in_the_renditions_of_their_upload() -> None:
    offer = offer_whole(PICTURE, "webp", width_px=4032, sizes=SIZES)
    assert candidates(offer) == {f"{px}w": f"{PICTURE}&w={px}&q={q}&fmt=webp" for px, q in recipes.GALLERY}
    assert offer.src == f"{PICTURE}&w=800&q=85&fmt=webp"
    assert offer.sizes == SIZES


@pytest.mark.parametrize(
    ("width_px", "promised"),
    [(1200, ["400w", "800w", "1200w"]), (1000, ["400w", "800w", "1000w"]), (400, ["400w"]), (300, ["300w"])],
)
def test_no_size_is_wider_than_the_picture(width_px: int, promised: list[str]) -> None:
    assert list(candidates(offer_whole(PICTURE, "jpeg", width_px=width_px, sizes=SIZES))) == promised


def rendered(source: str) -> str:
    env = build_environment(Assets(), verticals=load_verticals())
    return env.from_string(source).render(url=PORTRAIT)


def attributes(source: str) -> dict[str, str]:
    """Return those of the one image that is rendered."""
    [image] = re.findall(r"<img ([^>]*)>", rendered(source))
    return dict(re.findall(r'([a-z]+)="([^"]*)"', image))


def test_a_portrait_is_offered_in_sizes_and_its_place_is_kept() -> None:
    image = attributes("{{ ui.portrait('Maya', url, 'card') }}")
    assert image["srcset"].startswith(f"{PORTRAIT}&amp;w=192&amp;q=75&amp;fmt=auto 192w, {PORTRAIT}&amp;w=256")
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


@pytest.mark.parametrize("place", PLACES)
def test_guide_states_the_widths_that_pages_offer(place: str) -> None:
    assert f"| {place} | {', '.join(map(str, PLACES[place]))} |" in GUIDE


def test_guide_states_the_bounds_of_the_image_proxy_and_of_uploads() -> None:
    mebibytes = ImageSettings.model_fields["upload_mebibytes"].default
    for stated in (
        f"| {WIDTH_MAX_PX} pixels, and no more than the original has; {AVATAR_MAX_PX} for a portrait |",
        f"| `dpr` | {DENSITY_MAX} |",
        f"| `q` | {QUALITY_MAX} |",
        f"({mebibytes} MiB unless set), {PIXELS_MAX // 1_000_000} megapixels, {SIDE_MAX_PX:,} pixels a side |",
    ):
        assert stated in GUIDE

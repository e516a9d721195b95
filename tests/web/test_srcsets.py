"""Addresses of pictures in sizes: those that the image proxy knows, and nothing of what it does not."""

from itertools import pairwise

import pytest

from fairground.platform.images import recipes
from fairground.platform.images.recipes import AVATAR_MAX_PX, LADDER_PX
from fairground.web.srcsets import SQUARES, Offer, offer_square, offer_whole, resize_url

PICTURE = "/api/v1/img/0198c0de-0000-7000-8000-000000000001?v=0123456789ab"
AVATAR = "/api/v1/img/avatar/0198c0de-0000-7000-8000-000000000002"
SIZES = "(max-width: 640px) 400px, (max-width: 1024px) 800px, 1200px"
OTHERS = ["/pictures/0198c0de.svg", "/media/pictures/1.webp", f"https://elsewhere.example{PICTURE}", f"{PICTURE}&w=9"]


def candidates(offer: Offer) -> dict[str, str]:
    """Return the addresses by their widths."""
    return {width: url for url, width in (named.rsplit(" ", 1) for named in offer.srcset.split(", "))}


def test_a_picture_is_800_wide_at_quality_85_in_the_best_format_unless_something_else_is_said() -> None:
    assert resize_url(PICTURE) == f"{PICTURE}&w=800&q=85&fmt=auto"
    assert resize_url(AVATAR, width_px=96, quality=80) == f"{AVATAR}?w=96&q=80&fmt=auto"


@pytest.mark.parametrize("url", OTHERS)
def test_address_outside_the_proxy_is_unchanged(url: str) -> None:
    assert resize_url(url) == url
    assert offer_square(url, "card") == offer_whole(url, "webp", width_px=4000, sizes=SIZES) == Offer(url)


@pytest.mark.parametrize("slot", SQUARES)
def test_squares_come_in_steps_of_the_ladder_none_twice_as_wide_as_the_one_before(slot: str) -> None:
    offer, widths = offer_square(AVATAR, slot), SQUARES[slot].widths_px
    assert set(widths) <= set(LADDER_PX)
    assert max(widths) <= AVATAR_MAX_PX
    assert all(narrow < wide <= 2 * narrow for narrow, wide in pairwise(widths))
    assert list(candidates(offer)) == [f"{px}w" for px in widths]
    assert all("fmt=auto" in url for url in candidates(offer).values()), "AVIF for those who know it"
    assert offer.sizes == SQUARES[slot].sizes


def test_whole_pictures_are_offered_as_they_were_made_when_they_were_brought() -> None:
    offer = offer_whole(PICTURE, "webp", width_px=4032, sizes=SIZES)
    assert candidates(offer) == {f"{px}w": f"{PICTURE}&w={px}&q={q}&fmt=webp" for px, q in recipes.GALLERY}
    assert offer.src == f"{PICTURE}&w=800&q=85&fmt=webp"
    assert offer.sizes == SIZES


@pytest.mark.parametrize(
    ("width_px", "promised"),
    [(1200, ["400w", "800w", "1200w"]), (1000, ["400w", "800w", "1000w"]), (400, ["400w"]), (300, ["300w"])],
)
def test_no_more_pixels_are_promised_than_there_are(width_px: int, promised: list[str]) -> None:
    assert list(candidates(offer_whole(PICTURE, "jpeg", width_px=width_px, sizes=SIZES))) == promised

"""The caps on what a device loads, as docs/guides/pictures.md states them."""

from pathlib import Path

import pytest

from fairground.platform.images.recipes import AVATAR_MAX_PX, DENSITY_MAX, GALLERY, QUALITY_MAX, WIDTH_MAX_PX
from fairground.platform.images.refusals import PIXELS_MAX, SIDE_MAX_PX
from fairground.platform.images.settings import ImageSettings
from fairground.web.srcsets import SQUARES

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "pictures.md").read_text()
PLACES = {
    "card of a list": SQUARES["card"].widths_px,
    "row of cards on the home page": SQUARES["row"].widths_px,
    "three pictures at the top of the home page": SQUARES["hero"].widths_px,
    "head of a provider's page": SQUARES["head"].widths_px,
    "thumbnail": SQUARES["thumb"].widths_px,
    "picture of a gallery": tuple(width_px for width_px, _ in GALLERY),
}


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

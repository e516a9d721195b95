"""Any size, quality and Accept header comes to one of a few variants."""

import pytest

from fairground.modules.media.domain.variants import choose_format
from fairground.platform.images.recipes import LADDER_PX, step_quality, step_width


@pytest.mark.parametrize(
    ("wanted_px", "source_px", "step_px"),
    [(16, 4000, 32), (400, 4000, 400), (401, 4000, 512), (1600.5, 4000, 2048), (6144, 4000, 2048), (800, 450, 512)],
)
def test_a_width_is_brought_to_the_next_step_that_has_all_pixels(
    wanted_px: float, source_px: int, step_px: int
) -> None:
    assert step_width(wanted_px, source_px=source_px) == step_px


def test_there_are_few_variants_of_any_picture() -> None:
    widths = {step_width(width * density, source_px=9_000) for width in range(16, 2049) for density in (1, 1.5, 2, 3)}
    qualities = {step_quality(quality) for quality in range(40, 96)}
    assert widths == set(LADDER_PX)
    assert qualities == set(range(40, 96, 5))


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8", "avif"),
        ("image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5", "webp"),
        ("image/avif;q=0.5, image/webp;q=0.9, */*;q=0.1", "webp"),
        ("image/webp;q=0.5,image/jpeg", "jpeg"),
        ("image/webp;q=0.5,*/*;q=0.8", "jpeg"),
        ("image/avif;q=0,image/webp;q=0.0,*/*", "jpeg"),
        ("IMAGE/WEBP ; Q=1", "webp"),
        ("*/*", "jpeg"),
        ("image/avif;q=x", "jpeg"),
        ("text/html", "jpeg"),
        ("image/jpeg;q=0", "jpeg"),
        ("", "jpeg"),
    ],
)
def test_the_best_liked_format_is_chosen_and_the_newest_of_equals(accept: str, chosen: str) -> None:
    assert choose_format(accept) == chosen

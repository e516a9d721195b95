"""The choice of a format by the Accept header."""

import pytest

from fairground.platform.images.image_proxy import choose_format


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
def test_best_liked_format_is_chosen_and_the_newest_of_equals(accept: str, chosen: str) -> None:
    assert choose_format(accept) == chosen

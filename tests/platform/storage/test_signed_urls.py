"""Public objects have permanent URLs, private ones none. `test_contract` and `test_http` cover the signed URLs."""

import pytest

from fairground.platform.storage.keys import Retention, content_key
from fairground.platform.storage.signed_urls import public_url

DERIVATIVE = "derivative/ab/abcdef/w400.webp"


def test_public_url_is_at_the_cdn_if_one_is_set() -> None:
    assert public_url(DERIVATIVE, cdn_url="") == f"/media/{DERIVATIVE}"
    assert public_url(DERIVATIVE, cdn_url="https://cdn.example/fair") == f"https://cdn.example/fair/{DERIVATIVE}"


@pytest.mark.parametrize("retention", [Retention.ORIGINAL, Retention.UPLOAD])
def test_private_object_has_no_public_url(retention: Retention) -> None:
    with pytest.raises(ValueError, match="private"):
        public_url(content_key(retention, b"x", content_type="image/png"), cdn_url="https://cdn.example")

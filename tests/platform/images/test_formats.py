"""`data:` URLs of other systems, decoded leniently: admission refuses what is no picture."""

import pytest

from fairground.platform.images.formats import decode_data_url


@pytest.mark.parametrize(
    ("address", "content"),
    [
        ("data:image/png;base64,aGVsbG8=", b"hello"),
        ("data:image/png;base64,aGVsbG8", b"hello"),
        ("data:image/png;base64,aGVs bG8=", b"hello"),
        ("data:image/png;base64,aGVsbG8%3D", b"hello"),
        ("DATA:image/png;charset=utf-8;BASE64,aGVsbG8=", b"hello"),
        ("data:,hello%20there", b"hello there"),
    ],
)
def test_data_url_is_decoded_to_its_file(address: str, content: bytes) -> None:
    assert decode_data_url(address) == content


@pytest.mark.parametrize("address", ["data:image/png;base64,", "data:image/png;base64,%%%", "data:", "data:;base64,é"])
def test_unreadable_data_url_is_returned_as_it_is(address: str) -> None:
    assert decode_data_url(address) == address.encode()

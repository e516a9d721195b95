"""What other systems keep as `data:` addresses, read leniently: whoever judges pictures has the last word."""

import pytest

from fairground.platform.images.data_urls import content_of


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
def test_the_file_that_it_holds(address: str, content: bytes) -> None:
    assert content_of(address) == content


@pytest.mark.parametrize("address", ["data:image/png;base64,", "data:image/png;base64,%%%", "data:", "data:;base64,é"])
def test_what_cannot_be_read_is_given_as_it_is(address: str) -> None:
    assert content_of(address) == address.encode()

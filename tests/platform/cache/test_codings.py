import gzip
import sys

import brotli
import pytest

from fairground.platform.cache.codings import WORTH_CODING_BYTES, choose_coding, decode_brotli, encode

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = b'{"business_name": "Maya & the Tides"}' * 60
LARGE = WORTH_CODING_BYTES


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"),
    [
        (b"", "identity"),
        (b"br", "br"),
        (b"gzip, deflate, br, zstd", "br"),
        (b"gzip, deflate", "gzip"),
        (b"zstd, gzip", "zstd"),
        (b"GZIP", "gzip"),
        (b"x-gzip", "gzip"),
        (b"*", "br"),
        (b"br;q=0, *", "zstd"),
        (b"br;q=0.1, gzip;q=0.9", "gzip"),
        (b"gzip;q=0.5, identity", "identity"),
        (b"br; q=0 , gzip ;q=0.001", "gzip"),
        (b"deflate", "identity"),
        (b"deflate;q=1, identity;q=0.1", "identity"),
        (b"identity;q=0, br", "br"),
        (b"identity;q=0", None),
        (b"*;q=0", None),
        (b"*;q=0, gzip", "gzip"),
        (b"br;q=nonsense", "identity"),
        (b",, ;q=1", "identity"),
    ],
)
def test_best_accepted_coding_is_chosen(accept_encoding: bytes, chosen: str | None) -> None:
    assert choose_coding(accept_encoding, size_bytes=LARGE) == chosen


@pytest.mark.parametrize(
    ("accept_encoding", "chosen"), [(b"br", "identity"), (b"identity;q=0, gzip", "gzip"), (b"*;q=0", None)]
)
def test_small_body_is_encoded_only_if_identity_is_refused(accept_encoding: bytes, chosen: str | None) -> None:
    assert choose_coding(accept_encoding, size_bytes=LARGE - 1) == chosen


def test_every_coding_decodes_to_the_body() -> None:
    assert encode(BODY, "identity") == BODY
    assert brotli.decompress(encode(BODY, "br")) == BODY
    assert gzip.decompress(encode(BODY, "gzip")) == BODY
    assert zstd.decompress(encode(BODY, "zstd")) == BODY
    assert decode_brotli(encode(BODY, "br")) == BODY


def test_encoding_twice_gives_the_same_bytes() -> None:
    assert {encode(BODY, coding) for _ in range(2) for coding in ("gzip", "br", "zstd")} == {
        encode(BODY, coding) for coding in ("gzip", "br", "zstd")
    }


def test_invalid_brotli_is_refused() -> None:
    with pytest.raises(ValueError, match="brotli"):
        decode_brotli(b"no such thing")

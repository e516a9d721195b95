import pytest

from fairground.platform.http.cache_control import matches_etag

ETAG = b'"abc-br"'


@pytest.mark.parametrize(
    "header",
    [b'"abc-br"', b'W/"abc-br"', b'"x", "abc-br"', b'"x",W/"abc-br" , "y"', b"*", b" * ", b'"a,b", "abc-br"'],
)
def test_etag_named_by_the_header_is_known(header: bytes) -> None:
    assert matches_etag(header, etag=ETAG)


@pytest.mark.parametrize(
    "header", [b'"abc-gzip"', b"abc-br", b'"abc"', b'"ABC-br"', b'"x, abc-br"', b'"*"', b"", b'"abc-br', b'"x""y"']
)
def test_etag_missing_from_the_header_is_not_known(header: bytes) -> None:
    assert not matches_etag(header, etag=ETAG)

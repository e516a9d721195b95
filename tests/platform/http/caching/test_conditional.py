import pytest

from fairground.platform.http.caching.conditional import is_known

ETAG = b'"abc-br"'


@pytest.mark.parametrize(
    "header",
    [b'"abc-br"', b'W/"abc-br"', b'"x", "abc-br"', b'"x",W/"abc-br" , "y"', b"*", b" * ", b'"a,b", "abc-br"'],
)
def test_an_etag_is_known_that_the_header_names(header: bytes) -> None:
    assert is_known(header, etag=ETAG)


@pytest.mark.parametrize(
    "header", [b'"abc-gzip"', b"abc-br", b'"abc"', b'"ABC-br"', b'"x, abc-br"', b'"*"', b"", b'"abc-br', b'"x""y"']
)
def test_an_etag_is_not_known_that_it_does_not(header: bytes) -> None:
    assert not is_known(header, etag=ETAG)

"""A key states the type and the retention class of its object."""

import pytest

from fairground.platform.storage.keys import (
    SUFFIX_OF,
    Retention,
    TypeNotStored,
    check_key,
    content_key,
    content_type_of,
    etag_of,
    new_upload_key,
    retention_of,
)


@pytest.mark.parametrize("content_type", SUFFIX_OF)
def test_key_states_type_and_retention(content_type: str) -> None:
    key = content_key(Retention.ORIGINAL, b"x", content_type=content_type)
    assert check_key(key) == key
    assert (retention_of(key), content_type_of(key)) == (Retention.ORIGINAL, content_type)


def test_content_key_depends_on_the_content_alone() -> None:
    keys = [content_key(Retention.ORIGINAL, content, content_type="image/png") for content in (b"a", b"a", b"b")]
    assert keys[0] == keys[1] != keys[2]
    assert etag_of(keys[0]) != etag_of(keys[2])


def test_each_upload_has_its_own_key() -> None:
    keys = {new_upload_key(content_type="image/jpeg") for _ in range(100)}
    assert len(keys) == 100
    assert {retention_of(key) for key in keys} == {Retention.UPLOAD}


@pytest.mark.parametrize("content_type", ["image/svg+xml", "text/html", "", "image/png; charset=x"])
def test_type_that_is_not_stored_gets_no_key(content_type: str) -> None:
    with pytest.raises(TypeNotStored):
        new_upload_key(content_type=content_type)

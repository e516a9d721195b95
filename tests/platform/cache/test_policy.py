import pytest

from fairground.platform.cache.policy import ENTRY_MAX_BYTES, ComputedResponse

JSON = (b"content-type", b"application/json")
BODY = b'{"data": []}' * 100


@pytest.mark.parametrize(
    ("status", "headers", "is_storable"),
    [
        (200, (), True),
        (404, (), True),
        (200, ((b"vary", b"Accept-Encoding"),), True),
        (200, ((b"cache-control", b"public, max-age=5"),), True),
        (200, ((b"set-cookie", b"a=b"),), False),
        (200, ((b"cache-control", b"private"),), False),
        (200, ((b"cache-control", b"no-store"),), False),
        (200, ((b"vary", b"*"),), False),
        (200, ((b"vary", b"Cookie"),), False),
        (204, (), False),
        (301, (), False),
        (401, (), False),
        (403, (), False),
        (422, (), False),
        (429, (), False),
        (500, (), False),
        (503, (), False),
    ],
)
def test_only_public_found_and_not_found_responses_are_storable(
    status: int, headers: tuple[tuple[bytes, bytes], ...], *, is_storable: bool
) -> None:
    assert ComputedResponse(status, (JSON, *headers), BODY).is_storable is is_storable


def test_too_large_response_is_not_storable() -> None:
    assert ComputedResponse(200, (JSON,), b"x" * ENTRY_MAX_BYTES).is_storable
    assert not ComputedResponse(200, (JSON,), b"x" * (ENTRY_MAX_BYTES + 1)).is_storable

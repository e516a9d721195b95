import json

import pytest

from fairground.platform.cache.entry import (
    JITTER,
    META,
    STORED_FIELDS,
    Entry,
    from_fields,
    make_entry,
    make_times,
    to_fields,
)
from fairground.platform.cache.policy import ComputedResponse

JSON = (b"content-type", b"application/json")
BODY = b'{"data": []}' * 100


def made(body: bytes = BODY, *, status: int = 200) -> Entry:
    headers = (JSON, (b"content-length", b"1"), (b"date", b"now"), (b"etag", b'"x"'))
    times = make_times(now=1_000, fresh_seconds=60, stale_seconds=30, error_seconds=600)
    return make_entry(
        ComputedResponse(status, headers, body), times=times, compute_seconds=0.02, tokens=(b"\x00\xff", b"t")
    )


def fields_of(entry: Entry) -> list[bytes | None]:
    stored = to_fields(entry)
    return [stored.get(name) for name in STORED_FIELDS]


@pytest.mark.parametrize("body", [b"", b"{}", BODY])
def test_entry_survives_the_round_trip_through_the_shared_level(body: bytes) -> None:
    entry = made(body)
    back = from_fields(fields_of(entry))
    assert back is not None
    assert (back.times, back.tokens, back.status, back.headers) == (
        entry.times,
        entry.tokens,
        entry.status,
        entry.headers,
    )
    for coding in ("identity", "br", "gzip", "zstd"):
        assert back.make_variant(coding).body == entry.make_variant(coding).body
        assert back.variants[coding].headers == entry.variants[coding].headers


def test_missing_fields_are_no_entry() -> None:
    assert from_fields([None, None, None]) is None


@pytest.mark.parametrize("damage", ["meta", "truncated", "other body", "no body", "other format", "not brotli"])
def test_damaged_entry_is_refused(damage: str) -> None:
    meta, brotli_body, identity = fields_of(made())
    assert meta is not None
    assert brotli_body is not None
    match damage:
        case "meta":
            meta = b"\x00" + meta
        case "truncated":
            brotli_body = brotli_body[:-3]
        case "other body":
            brotli_body = to_fields(made(b"x" * 2_000))["br"]
        case "no body":
            brotli_body = None
        case "other format":
            meta = json.dumps(json.loads(meta) | {"format": 0}).encode()
        case _:
            brotli_body = b"plain"
    with pytest.raises(ValueError, match="entry"):
        from_fields([meta, brotli_body, identity])


def test_body_is_stored_in_its_smallest_coding() -> None:
    assert set(to_fields(made())) == {META, "br"}
    assert set(to_fields(made(b"{}"))) == {META, "identity"}


def test_etag_depends_on_body_and_coding_alone() -> None:
    etags = {made().make_variant(coding).etag for coding in ("identity", "br", "gzip", "zstd") for _ in range(2)}
    assert len(etags) == 4
    assert made(BODY + b" ").make_variant("br").etag not in etags


def test_headers_of_the_transfer_are_replaced() -> None:
    entry = made()
    variant = entry.make_variant("br")
    assert dict(variant.headers) == {
        b"content-type": b"application/json",
        b"cache-control": entry.times.cache_control,
        b"cdn-cache-control": entry.times.cdn_cache_control,
        b"vary": b"accept-encoding",
        b"etag": variant.etag,
        b"content-encoding": b"br",
        b"content-length": b"%d" % len(variant.body),
    }


def test_fresh_time_varies_by_a_tenth() -> None:
    ends = [
        make_times(now=0, fresh_seconds=100, stale_seconds=30, error_seconds=600).fresh_until for _ in range(10_000)
    ]
    assert 100 * (1 - JITTER) <= min(ends) <= 91
    assert 109 <= max(ends) <= 100 * (1 + JITTER)

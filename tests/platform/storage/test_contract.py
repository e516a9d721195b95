"""What every store does, in a folder and on a server alike."""

import asyncio
import tempfile
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from fairground.kernel.zones import SystemClock
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.keys import KeyInvalid, Retention, content_key, new_upload_key
from fairground.platform.storage.signed_urls import UploadTooLarge, public_url
from fairground.platform.storage.store import ObjectNotFound, Span, SpanInvalid
from fairground.platform.storage.uploads import copy_object
from tests.support.storage import MovedClock, StoreHarness

CONTENT = bytes(range(256)) * 4
MINUTE = timedelta(minutes=1)
NO_KEYS = (
    "original/../../etc/passwd.png",
    "original/.hidden.png",
    "/etc/passwd.png",
    "original//a.png",
    "original/a.png\n",
    "original/a\x00.png",
    "original/A.png",
    "original/a.svg",
    "other/a.png",
    "original/%2e%2e/a.png",
    "original\\..\\a.png",
    f"original/{'a' * 200}.png",
    "",
)
uploading = pytest.mark.parametrize("harness", ["folder", "s3", "s3 without direct uploads"], indirect=True)


def key_of(content: bytes, retention: Retention = Retention.ORIGINAL) -> str:
    return content_key(retention, content, content_type="image/png")


def upload_key() -> str:
    return new_upload_key(content_type="image/png")


async def test_put_object_is_read_and_found(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    began_at = SystemClock().now()
    assert await harness.store.put(key, CONTENT)
    assert await harness.content(key) == CONTENT
    found = await harness.store.head(key)
    assert (found.key, found.size_bytes) == (key, len(CONTENT))
    assert abs(found.stored_at - began_at) < MINUTE


async def test_file_is_put_from_its_beginning(harness: StoreHarness) -> None:
    content = CONTENT * 2_000
    with tempfile.TemporaryFile() as file:
        file.write(content)
        assert await harness.store.put(key_of(content), file)
    assert await harness.content(key_of(content)) == content


async def test_empty_object_is_kept(harness: StoreHarness) -> None:
    assert await harness.store.put(key_of(b""), b"")
    assert await harness.content(key_of(b"")) == b""


async def test_existing_object_is_not_replaced(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    assert await harness.store.put(key, CONTENT)
    assert not await harness.store.put(key, b"other")
    assert await harness.content(key) == CONTENT


async def test_one_of_many_concurrent_writers_of_a_key_wins(harness: StoreHarness) -> None:
    key = upload_key()
    contents = [bytes([number]) * 50_000 for number in range(12)]
    were_first = await asyncio.gather(*(harness.store.put(key, content) for content in contents))
    assert were_first.count(True) == 1
    assert await harness.content(key) == contents[were_first.index(True)]


async def test_span_reads_that_part(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    await harness.store.put(key, CONTENT)
    for span, part in (
        (Span(0, 0), CONTENT[:1]),
        (Span(10, 19), CONTENT[10:20]),
        (Span(1000), CONTENT[1000:]),
        (Span(1000, 9999), CONTENT[1000:]),
        (Span(1023, 1023), CONTENT[1023:]),
    ):
        assert await harness.content(key, span=span) == part


async def test_span_behind_the_end_is_refused(harness: StoreHarness) -> None:
    await harness.store.put(key_of(CONTENT), CONTENT)
    with pytest.raises(SpanInvalid):
        await harness.content(key_of(CONTENT), span=Span(len(CONTENT)))


async def test_reading_can_stop_halfway(harness: StoreHarness) -> None:
    content = CONTENT * 2_000
    await harness.store.put(key_of(content), content)
    async with harness.store.read(key_of(content)) as reading:
        async for chunk in reading.chunks:
            assert content.startswith(chunk)
            break
    assert await harness.content(key_of(content)) == content


async def test_missing_object_is_not_found(harness: StoreHarness) -> None:
    with pytest.raises(ObjectNotFound):
        await harness.store.head(key_of(b"nothing"))
    with pytest.raises(ObjectNotFound):
        await harness.content(key_of(b"nothing"))


async def test_deleted_object_is_gone_and_delete_can_be_repeated(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    await harness.store.put(key, CONTENT)
    await harness.store.delete(key)
    await harness.store.delete(key)
    with pytest.raises(ObjectNotFound):
        await harness.store.head(key)
    assert await harness.store.put(key, CONTENT)


async def test_invalid_key_is_refused_by_every_method(harness: StoreHarness) -> None:
    for key in NO_KEYS:
        attempts = (
            harness.store.put(key, b"x"),
            harness.store.head(key),
            harness.content(key),
            harness.store.delete(key),
        )
        for attempt in attempts:
            with pytest.raises(KeyInvalid):
                await attempt
        with pytest.raises(KeyInvalid):
            harness.store.sign_read(key, lifetime=MINUTE)
        with pytest.raises(KeyInvalid):
            harness.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)


async def test_objects_are_listed_by_retention_class(harness: StoreHarness) -> None:
    originals = {key_of(bytes([number])) for number in range(5)}
    for number in range(5):
        await harness.store.put(key_of(bytes([number])), bytes([number]))
    await harness.store.put(key_of(CONTENT, Retention.DERIVATIVE), CONTENT)
    listed = [stored async for stored in harness.store.list_objects(Retention.ORIGINAL)]
    assert {stored.key for stored in listed} == originals
    assert {stored.size_bytes for stored in listed} == {1}
    assert [stored.key async for stored in harness.store.list_objects(Retention.DERIVATIVE)] == [
        key_of(CONTENT, Retention.DERIVATIVE)
    ]
    assert [stored async for stored in harness.store.list_objects(Retention.UPLOAD)] == []


async def test_only_old_objects_are_discarded(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    await harness.store.put(key, CONTENT)
    now = SystemClock().now()
    assert not await harness.store.discard(key, stored_before=now - MINUTE)
    assert await harness.content(key) == CONTENT
    assert await harness.store.discard(key, stored_before=now + MINUTE)
    assert not await harness.store.discard(key, stored_before=now + MINUTE)


async def test_object_put_again_counts_as_just_stored(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    await harness.store.put(key, CONTENT)
    first = (await harness.store.head(key)).stored_at
    await asyncio.sleep(0 if isinstance(harness.store, FolderStore) else 1.1)  # servers know whole seconds
    await harness.store.put(key, CONTENT)
    assert (await harness.store.head(key)).stored_at > first
    assert await harness.content(key) == CONTENT


async def test_signed_address_reads_the_object_without_a_session(harness: StoreHarness) -> None:
    key = key_of(CONTENT)
    await harness.store.put(key, CONTENT)
    url = harness.store.sign_read(key, lifetime=MINUTE)
    answer = await harness.browser.get(url)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    part = await harness.browser.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])


async def test_public_object_is_served_with_lasting_cache_headers(harness: StoreHarness) -> None:
    key = key_of(CONTENT, Retention.DERIVATIVE)
    await harness.store.put(key, CONTENT)
    answer = await harness.browser.get(public_url(key, cdn_url=""))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    missing = await harness.browser.get(public_url(key_of(b"", Retention.DERIVATIVE), cdn_url=""))
    assert (missing.status_code, missing.json()["code"]) == (404, "storage.not_found")


async def test_signed_address_for_another_object_or_time_is_refused(harness: StoreHarness) -> None:
    for content in (b"one", b"two"):
        await harness.store.put(key_of(content), content)
    url = harness.store.sign_read(key_of(b"one"), lifetime=MINUTE)
    for changed in (
        url.replace(key_of(b"one"), key_of(b"two")),
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.partition("?")[0],
        _later(url),
    ):
        assert changed != url
        assert (await harness.browser.get(changed)).status_code == 403, changed


async def test_expired_signed_address_is_refused(harness: StoreHarness, clock: MovedClock) -> None:
    await harness.store.put(key_of(CONTENT), CONTENT)
    url = harness.store.sign_read(key_of(CONTENT), lifetime=timedelta(seconds=1))
    if url.startswith("/"):
        clock.ahead = timedelta(seconds=2)
    else:
        await asyncio.sleep(1.5)  # another server has a clock of its own
    assert (await harness.browser.get(url)).status_code == 403


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=8)])
async def test_lifetime_above_seven_days_is_refused(harness: StoreHarness, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match="seven days"):
        harness.store.sign_read(key_of(CONTENT), lifetime=lifetime)


@uploading
async def test_upload_origin_matches_the_form_address(harness: StoreHarness) -> None:
    form = harness.store.offer_upload(upload_key(), max_bytes=10, lifetime=MINUTE)
    assert form.url.startswith(f"{harness.store.upload_origin}/" if harness.store.upload_origin else "/")


@uploading
async def test_upload_form_puts_its_file_into_quarantine(harness: StoreHarness) -> None:
    key = upload_key()
    form = harness.store.offer_upload(key, max_bytes=len(CONTENT), lifetime=MINUTE)
    assert (await harness.send(form, CONTENT)).status_code == 204
    assert await harness.content(key) == CONTENT
    read = await harness.browser.get(harness.store.sign_read(key, lifetime=MINUTE))
    assert (read.content, read.headers["content-type"]) == (CONTENT, "image/png"), "whatever the browser said it is"


@uploading
async def test_upload_of_a_refused_size_is_not_stored(harness: StoreHarness) -> None:
    key = upload_key()
    form = harness.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)
    for size_bytes in (0, 11, 3_000_000):
        assert (await harness.send(form, b"x" * size_bytes)).status_code in {400, 422}
        with pytest.raises(ObjectNotFound):
            await harness.store.head(key)


@uploading
async def test_changed_upload_form_is_refused(harness: StoreHarness) -> None:
    key, other = upload_key(), upload_key()
    form = harness.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)
    wider = harness.store.offer_upload(key, max_bytes=10_000, lifetime=MINUTE)
    [signature] = {"signature", "x-amz-signature"} & form.fields.keys()
    for changes in (
        {"key": form.fields["key"].replace(key, other)},
        {"Content-Type": "text/html"},
        {"policy": wider.fields["policy"]},
        {signature: "other"},
        {"extra": "other"},
    ):
        assert (await harness.send(form, b"x", changes=changes)).status_code in {403, 422}, changes
    assert [stored async for stored in harness.store.list_objects(Retention.UPLOAD)] == []


@uploading
async def test_expired_upload_form_is_refused(harness: StoreHarness, clock: MovedClock) -> None:
    clock.ahead = -timedelta(minutes=2)
    form = harness.store.offer_upload(upload_key(), max_bytes=10, lifetime=MINUTE)
    clock.ahead = timedelta()
    assert (await harness.send(form, b"x")).status_code in {403, 422}


async def test_upload_form_outside_of_quarantine_is_refused(harness: StoreHarness) -> None:
    for retention in (Retention.ORIGINAL, Retention.DERIVATIVE):
        with pytest.raises(ValueError, match="is not an upload"):
            harness.store.offer_upload(key_of(CONTENT, retention), max_bytes=10, lifetime=MINUTE)


async def test_copy_of_an_object_above_the_limit_is_refused(harness: StoreHarness) -> None:
    key = upload_key()
    await harness.store.put(key, CONTENT)
    with tempfile.TemporaryFile() as file:
        with pytest.raises(UploadTooLarge):
            await copy_object(harness.store, key, file, max_bytes=len(CONTENT) - 1)
        assert file.tell() == 0
        await copy_object(harness.store, key, file, max_bytes=len(CONTENT))
        file.seek(0)
        assert file.read() == CONTENT
        with pytest.raises(ObjectNotFound):
            await copy_object(harness.store, upload_key(), file, max_bytes=1)


def _later(url: str) -> str:
    """Return the address with a longer life written into it."""
    parts = urlsplit(url)
    [name] = {"expires", "X-Amz-Expires"} & parse_qs(parts.query).keys()
    [seconds] = parse_qs(parts.query)[name]
    return url.replace(f"{name}={seconds}", f"{name}={int(seconds) + 60}")

"""What every store does, in a folder and on a server alike."""

import asyncio
import tempfile
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from fairground.kernel.clock import SystemClock
from fairground.platform.storage.folder import FolderStore
from fairground.platform.storage.gate import public_url
from fairground.platform.storage.keys import KeyInvalid, Retention, content_key, new_upload_key
from fairground.platform.storage.policy import UploadTooLarge
from fairground.platform.storage.spooling import copy_object
from fairground.platform.storage.store import ObjectNotFound, Span, SpanInvalid
from tests.support.storage import MovedClock, Shelf

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
uploading = pytest.mark.parametrize("shelf", ["folder", "s3", "s3 without direct uploads"], indirect=True)


def key_of(content: bytes, retention: Retention = Retention.ORIGINAL) -> str:
    return content_key(retention, content, content_type="image/png")


def upload_key() -> str:
    return new_upload_key(content_type="image/png")


async def test_what_is_put_can_be_read_and_found(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    began_at = SystemClock().now()
    assert await shelf.store.put(key, CONTENT)
    assert await shelf.content(key) == CONTENT
    found = await shelf.store.head(key)
    assert (found.key, found.size_bytes) == (key, len(CONTENT))
    assert abs(found.stored_at - began_at) < MINUTE


async def test_a_file_is_put_from_its_beginning_without_being_held_whole(shelf: Shelf) -> None:
    content = CONTENT * 2_000
    with tempfile.TemporaryFile() as file:
        file.write(content)
        assert await shelf.store.put(key_of(content), file)
    assert await shelf.content(key_of(content)) == content


async def test_an_empty_object_is_kept(shelf: Shelf) -> None:
    assert await shelf.store.put(key_of(b""), b"")
    assert await shelf.content(key_of(b"")) == b""


async def test_what_is_there_is_not_replaced(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    assert await shelf.store.put(key, CONTENT)
    assert not await shelf.store.put(key, b"other")
    assert await shelf.content(key) == CONTENT


async def test_of_many_writers_of_one_key_one_is_first_and_its_content_stays(shelf: Shelf) -> None:
    key = upload_key()
    contents = [bytes([number]) * 50_000 for number in range(12)]
    were_first = await asyncio.gather(*(shelf.store.put(key, content) for content in contents))
    assert were_first.count(True) == 1
    assert await shelf.content(key) == contents[were_first.index(True)]


async def test_a_part_is_read(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    await shelf.store.put(key, CONTENT)
    for span, part in (
        (Span(0, 0), CONTENT[:1]),
        (Span(10, 19), CONTENT[10:20]),
        (Span(1000), CONTENT[1000:]),
        (Span(1000, 9999), CONTENT[1000:]),
        (Span(1023, 1023), CONTENT[1023:]),
    ):
        assert await shelf.content(key, span=span) == part


async def test_a_part_behind_the_end_is_refused(shelf: Shelf) -> None:
    await shelf.store.put(key_of(CONTENT), CONTENT)
    with pytest.raises(SpanInvalid):
        await shelf.content(key_of(CONTENT), span=Span(len(CONTENT)))


async def test_reading_may_stop_halfway(shelf: Shelf) -> None:
    content = CONTENT * 2_000
    await shelf.store.put(key_of(content), content)
    async with shelf.store.read(key_of(content)) as reading:
        async for chunk in reading.chunks:
            assert content.startswith(chunk)
            break
    assert await shelf.content(key_of(content)) == content


async def test_what_is_not_there_is_not_found(shelf: Shelf) -> None:
    with pytest.raises(ObjectNotFound):
        await shelf.store.head(key_of(b"nothing"))
    with pytest.raises(ObjectNotFound):
        await shelf.content(key_of(b"nothing"))


async def test_what_is_deleted_is_gone_and_may_be_deleted_again(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    await shelf.store.put(key, CONTENT)
    await shelf.store.delete(key)
    await shelf.store.delete(key)
    with pytest.raises(ObjectNotFound):
        await shelf.store.head(key)
    assert await shelf.store.put(key, CONTENT)


async def test_what_is_no_key_goes_nowhere(shelf: Shelf) -> None:
    for key in NO_KEYS:
        attempts = (shelf.store.put(key, b"x"), shelf.store.head(key), shelf.content(key), shelf.store.delete(key))
        for attempt in attempts:
            with pytest.raises(KeyInvalid):
                await attempt
        with pytest.raises(KeyInvalid):
            shelf.store.sign_read(key, lifetime=MINUTE)
        with pytest.raises(KeyInvalid):
            shelf.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)


async def test_each_retention_lists_what_it_keeps(shelf: Shelf) -> None:
    originals = {key_of(bytes([number])) for number in range(5)}
    for number in range(5):
        await shelf.store.put(key_of(bytes([number])), bytes([number]))
    await shelf.store.put(key_of(CONTENT, Retention.DERIVATIVE), CONTENT)
    listed = [stored async for stored in shelf.store.list_objects(Retention.ORIGINAL)]
    assert {stored.key for stored in listed} == originals
    assert {stored.size_bytes for stored in listed} == {1}
    assert [stored.key async for stored in shelf.store.list_objects(Retention.DERIVATIVE)] == [
        key_of(CONTENT, Retention.DERIVATIVE)
    ]
    assert [stored async for stored in shelf.store.list_objects(Retention.UPLOAD)] == []


async def test_only_what_is_old_is_discarded(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    await shelf.store.put(key, CONTENT)
    now = SystemClock().now()
    assert not await shelf.store.discard(key, stored_before=now - MINUTE)
    assert await shelf.content(key) == CONTENT
    assert await shelf.store.discard(key, stored_before=now + MINUTE)
    assert not await shelf.store.discard(key, stored_before=now + MINUTE)


async def test_what_is_put_once_more_is_young_again(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    await shelf.store.put(key, CONTENT)
    first = (await shelf.store.head(key)).stored_at
    await asyncio.sleep(0 if isinstance(shelf.store, FolderStore) else 1.1)  # servers know whole seconds
    await shelf.store.put(key, CONTENT)
    assert (await shelf.store.head(key)).stored_at > first
    assert await shelf.content(key) == CONTENT


async def test_a_signed_address_gives_the_object_to_anybody(shelf: Shelf) -> None:
    key = key_of(CONTENT)
    await shelf.store.put(key, CONTENT)
    url = shelf.store.sign_read(key, lifetime=MINUTE)
    answer = await shelf.browser.get(url)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    part = await shelf.browser.get(url, headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, CONTENT[10:20])


async def test_a_public_object_is_given_by_this_server_for_ever(shelf: Shelf) -> None:
    key = key_of(CONTENT, Retention.DERIVATIVE)
    await shelf.store.put(key, CONTENT)
    answer = await shelf.browser.get(public_url(key, cdn_url=""))
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    missing = await shelf.browser.get(public_url(key_of(b"", Retention.DERIVATIVE), cdn_url=""))
    assert (missing.status_code, missing.json()["code"]) == (404, "storage.not_found")


async def test_a_signed_address_is_good_for_its_object_and_its_time_alone(shelf: Shelf) -> None:
    for content in (b"one", b"two"):
        await shelf.store.put(key_of(content), content)
    url = shelf.store.sign_read(key_of(b"one"), lifetime=MINUTE)
    for changed in (
        url.replace(key_of(b"one"), key_of(b"two")),
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.partition("?")[0],
        _later(url),
    ):
        assert changed != url
        assert (await shelf.browser.get(changed)).status_code == 403, changed


async def test_a_signed_address_ends(shelf: Shelf, clock: MovedClock) -> None:
    await shelf.store.put(key_of(CONTENT), CONTENT)
    url = shelf.store.sign_read(key_of(CONTENT), lifetime=timedelta(seconds=1))
    if url.startswith("/"):
        clock.ahead = timedelta(seconds=2)
    else:
        await asyncio.sleep(1.5)  # another server has a clock of its own
    assert (await shelf.browser.get(url)).status_code == 403


@pytest.mark.parametrize("lifetime", [timedelta(0), timedelta(days=8)])
async def test_no_address_lives_for_ever(shelf: Shelf, lifetime: timedelta) -> None:
    with pytest.raises(ValueError, match="seven days"):
        shelf.store.sign_read(key_of(CONTENT), lifetime=lifetime)


@uploading
async def test_the_origin_of_uploads_is_where_their_forms_lead(shelf: Shelf) -> None:
    form = shelf.store.offer_upload(upload_key(), max_bytes=10, lifetime=MINUTE)
    assert form.url.startswith(f"{shelf.store.upload_origin}/" if shelf.store.upload_origin else "/")


@uploading
async def test_a_form_brings_one_file_into_quarantine(shelf: Shelf) -> None:
    key = upload_key()
    form = shelf.store.offer_upload(key, max_bytes=len(CONTENT), lifetime=MINUTE)
    assert (await shelf.send(form, CONTENT)).status_code == 204
    assert await shelf.content(key) == CONTENT
    read = await shelf.browser.get(shelf.store.sign_read(key, lifetime=MINUTE))
    assert (read.content, read.headers["content-type"]) == (CONTENT, "image/png"), "whatever the browser said it is"


@uploading
async def test_a_file_of_another_size_is_refused(shelf: Shelf) -> None:
    key = upload_key()
    form = shelf.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)
    for size_bytes in (0, 11, 3_000_000):
        assert (await shelf.send(form, b"x" * size_bytes)).status_code in {400, 422}
        with pytest.raises(ObjectNotFound):
            await shelf.store.head(key)


@uploading
async def test_a_form_that_was_changed_is_refused(shelf: Shelf) -> None:
    key, other = upload_key(), upload_key()
    form = shelf.store.offer_upload(key, max_bytes=10, lifetime=MINUTE)
    wider = shelf.store.offer_upload(key, max_bytes=10_000, lifetime=MINUTE)
    [signature] = {"signature", "x-amz-signature"} & form.fields.keys()
    for changes in (
        {"key": form.fields["key"].replace(key, other)},
        {"Content-Type": "text/html"},
        {"policy": wider.fields["policy"]},
        {signature: "other"},
        {"extra": "other"},
    ):
        assert (await shelf.send(form, b"x", changes=changes)).status_code in {403, 422}, changes
    assert [stored async for stored in shelf.store.list_objects(Retention.UPLOAD)] == []


@uploading
async def test_a_form_ends(shelf: Shelf, clock: MovedClock) -> None:
    clock.ahead = -timedelta(minutes=2)
    form = shelf.store.offer_upload(upload_key(), max_bytes=10, lifetime=MINUTE)
    clock.ahead = timedelta()
    assert (await shelf.send(form, b"x")).status_code in {403, 422}


async def test_nobody_uploads_past_the_quarantine(shelf: Shelf) -> None:
    for retention in (Retention.ORIGINAL, Retention.DERIVATIVE):
        with pytest.raises(ValueError, match="quarantine"):
            shelf.store.offer_upload(key_of(CONTENT, retention), max_bytes=10, lifetime=MINUTE)


async def test_a_store_that_takes_too_much_is_not_believed(shelf: Shelf) -> None:
    key = upload_key()
    await shelf.store.put(key, CONTENT)
    with tempfile.TemporaryFile() as file:
        with pytest.raises(UploadTooLarge):
            await copy_object(shelf.store, key, file, max_bytes=len(CONTENT) - 1)
        assert file.tell() == 0
        await copy_object(shelf.store, key, file, max_bytes=len(CONTENT))
        file.seek(0)
        assert file.read() == CONTENT
        with pytest.raises(ObjectNotFound):
            await copy_object(shelf.store, upload_key(), file, max_bytes=1)


def _later(url: str) -> str:
    """Return the address with a longer life written into it."""
    parts = urlsplit(url)
    [name] = {"expires", "X-Amz-Expires"} & parse_qs(parts.query).keys()
    [seconds] = parse_qs(parts.query)[name]
    return url.replace(f"{name}={seconds}", f"{name}={int(seconds) + 60}")

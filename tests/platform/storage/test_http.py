"""Objects and uploads at this server's own address: what HTTP adds to the store."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fairground.platform.storage.keys import Retention, content_key, etag_of, new_upload_key
from fairground.platform.storage.signed_urls import UploadForm, UploadRefused, public_url
from fairground.platform.storage.uploads import MultipartForm
from tests.support.storage import StoreHarness, folder_store, open_harness

CONTENT = bytes(range(100))
KEY = content_key(Retention.DERIVATIVE, CONTENT, content_type="image/webp")
URL = public_url(KEY, cdn_url="")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def harness(tmp_path: Path) -> AsyncIterator[StoreHarness]:
    store = folder_store(tmp_path)
    await store.put(KEY, CONTENT)
    async with open_harness(store, spool=tmp_path / "incoming") as harness:
        yield harness


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "part"),
    [
        ("bytes=0-0", 206, "bytes 0-0/100", CONTENT[:1]),
        ("bytes=10-19", 206, "bytes 10-19/100", CONTENT[10:20]),
        ("bytes=90-", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=90-1000", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=-10", 206, "bytes 90-99/100", CONTENT[90:]),
        ("bytes=-1000", 206, "bytes 0-99/100", CONTENT),
        ("bytes=100-", 416, "bytes */100", b""),
        ("bytes=-0", 416, "bytes */100", b""),
        ("bytes=19-10", 200, None, CONTENT),
        ("bytes=0-1,5-6", 200, None, CONTENT),
        ("bytes=-", 200, None, CONTENT),
        ("items=0-1", 200, None, CONTENT),
        ("bytes=" + "9" * 5000 + "-", 200, None, CONTENT),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_range_header_selects_the_part(
    harness: StoreHarness, method: str, *, asked: str, status: int, content_range: str | None, part: bytes
) -> None:
    answer = await harness.browser.request(method, URL, headers={"range": asked})
    assert (answer.status_code, answer.headers.get("content-range")) == (status, content_range)
    assert answer.headers["content-length"] == str(len(part))
    assert answer.content == (part if method == "GET" else b"")


async def test_known_etag_is_answered_304_without_reading_the_store(harness: StoreHarness) -> None:
    etag = (await harness.browser.get(URL)).headers["etag"]
    assert etag == etag_of(KEY)
    await harness.store.delete(KEY)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await harness.browser.get(URL, headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_if_range_with_another_etag_sends_the_whole_object(harness: StoreHarness) -> None:
    headers = {"range": "bytes=0-9", "if-range": '"other"'}
    assert (await harness.browser.get(URL, headers=headers)).content == CONTENT
    headers["if-range"] = etag_of(KEY)
    assert (await harness.browser.get(URL, headers=headers)).content == CONTENT[:10]


async def test_private_object_is_cached_privately_and_only_until_its_address_expires(harness: StoreHarness) -> None:
    key = content_key(Retention.ORIGINAL, CONTENT, content_type="image/png")
    await harness.store.put(key, CONTENT)
    answer = await harness.browser.get(harness.store.sign_read(key, lifetime=MINUTE))
    kept = answer.headers["cache-control"]
    assert kept.startswith("private, max-age=")
    assert 0 < int(kept.partition("=")[2]) <= 60


@pytest.mark.parametrize(
    "path", ["/media/", "/media/../fairground.db", "/media/derivative/%2e%2e/%2e%2e/fairground.db", "/media/.secret"]
)
async def test_path_that_is_no_key_is_404(harness: StoreHarness, path: str) -> None:
    assert (await harness.browser.get(path)).status_code == 404


def form_of(harness: StoreHarness, *, max_bytes: int = 10) -> UploadForm:
    return harness.store.offer_upload(new_upload_key(content_type="image/png"), max_bytes=max_bytes, lifetime=MINUTE)


def body_of(form: UploadForm, *parts: str) -> bytes:
    fields = [f'form-data; name="{name}"\r\n\r\n{value}' for name, value in form.fields.items()]
    return "".join(f"--edge\r\nContent-Disposition: {part}\r\n" for part in [*fields, *parts]).encode()


FILE = 'form-data; name="file"; filename="a.png"\r\n\r\ncontent'
END = b"--edge--\r\n"
KIND = "multipart/form-data; boundary=edge"


async def post(harness: StoreHarness, body: bytes, *, content_type: str = KIND) -> httpx.Response:
    return await harness.browser.post("/media/uploads", content=body, headers={"content-type": content_type})


async def test_valid_form_stores_its_file(harness: StoreHarness) -> None:
    form = form_of(harness)
    assert (await post(harness, body_of(form, FILE) + END)).status_code == 204
    assert await harness.content(form.key) == b"content"


async def test_fields_behind_the_file_are_ignored(harness: StoreHarness) -> None:
    form = form_of(harness)
    body = body_of(form, FILE, f'form-data; name="key"\r\n\r\n{new_upload_key(content_type="image/png")}') + END
    assert (await post(harness, body)).status_code == 204
    assert await harness.content(form.key) == b"content"


async def test_malformed_forms_are_refused_and_leave_no_file(harness: StoreHarness, tmp_path: Path) -> None:
    form = form_of(harness)
    whole = body_of(form, FILE) + END
    for body in (
        b"",
        END,
        b"no form at all",
        body_of(form) + END,
        body_of(form, FILE),
        whole[: whole.index(b"content") + 3],
        body_of(form, FILE, FILE) + END,
        body_of(form, 'form-data; name="extra"\r\n\r\n' + "x" * 20_000, FILE) + END,
        body_of(form, 'form-data; name="extra"\r\n\r\nx', FILE) + END,
        b"--edge\r\nContent-Disposition: " + FILE.encode() + b"\r\n" + body_of(form) + END,
        body_of(form, FILE + "x" * 10) + END,
        body_of(form, FILE.removesuffix("content")) + END,
        b"--edge\r\n" + b"X: " + b"y" * 10_000 + b"\r\n\r\n" + END,
    ):
        answer = await post(harness, body)
        assert answer.status_code == 422, body[:200]
        assert answer.json()["code"] in {"storage.upload_refused", "storage.upload_too_large"}
    for content_type in ("", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded; boundary=edge"):
        assert (await post(harness, whole, content_type=content_type)).status_code == 422
    assert [stored async for stored in harness.store.list_objects(Retention.UPLOAD)] == []
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize("part", ['Content-Disposition: form-data; name="{}"\r\n\r\n', "X-{}: \r\n\r\n", "\r\n"])
def test_form_of_many_small_parts_is_refused(part: str) -> None:
    """A form is parsed before its policy is known, so the number of its parts must not cost memory or time."""
    parts = "".join(f"--edge\r\n{part.format(number)}\r\n" for number in range(20_000))
    with pytest.raises(UploadRefused, match="too long"):
        MultipartForm(KIND).feed(parts.encode())


async def test_form_is_parsed_in_chunks_of_any_size(harness: StoreHarness) -> None:
    """The same file arrives wherever packets end, also in the middle of a boundary."""
    for size in (1, 2, 7, 64):
        form = form_of(harness)
        body = body_of(form, FILE) + END

        async def pieces(body: bytes = body, size: int = size) -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        answer = await harness.browser.post("/media/uploads", content=pieces(), headers={"content-type": KIND})
        assert answer.status_code == 204
        assert await harness.content(form.key) == b"content"

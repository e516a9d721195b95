"""Objects and uploads at this server's own address: what HTTP adds to the store."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from fairground.platform.storage.gate import public_url
from fairground.platform.storage.keys import Retention, content_key, etag_of, new_upload_key
from fairground.platform.storage.policy import UploadForm, UploadRefused
from fairground.platform.storage.receiving import Form
from tests.support.storage import Shelf, folder_store, shelf_of

CONTENT = bytes(range(100))
KEY = content_key(Retention.DERIVATIVE, CONTENT, content_type="image/webp")
URL = public_url(KEY, cdn_url="")
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def shelf(tmp_path: Path) -> AsyncIterator[Shelf]:
    store = folder_store(tmp_path)
    await store.put(KEY, CONTENT)
    async with shelf_of(store, spool=tmp_path / "incoming") as shelf:
        yield shelf


@pytest.mark.parametrize(
    ("asked", "status", "told", "part"),
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
async def test_ranges(shelf: Shelf, method: str, *, asked: str, status: int, told: str | None, part: bytes) -> None:
    answer = await shelf.browser.request(method, URL, headers={"range": asked})
    assert (answer.status_code, answer.headers.get("content-range")) == (status, told)
    assert answer.headers["content-length"] == str(len(part))
    assert answer.content == (part if method == "GET" else b"")


async def test_what_a_browser_has_is_not_sent_again_nor_looked_at(shelf: Shelf) -> None:
    etag = (await shelf.browser.get(URL)).headers["etag"]
    assert etag == etag_of(KEY)
    await shelf.store.delete(KEY)
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = await shelf.browser.get(URL, headers={"if-none-match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)


async def test_a_part_of_another_version_is_not_given(shelf: Shelf) -> None:
    headers = {"range": "bytes=0-9", "if-range": '"other"'}
    assert (await shelf.browser.get(URL, headers=headers)).content == CONTENT
    headers["if-range"] = etag_of(KEY)
    assert (await shelf.browser.get(URL, headers=headers)).content == CONTENT[:10]


async def test_a_private_object_is_kept_by_no_shared_cache_and_not_beyond_its_time(shelf: Shelf) -> None:
    key = content_key(Retention.ORIGINAL, CONTENT, content_type="image/png")
    await shelf.store.put(key, CONTENT)
    answer = await shelf.browser.get(shelf.store.sign_read(key, lifetime=MINUTE))
    kept = answer.headers["cache-control"]
    assert kept.startswith("private, max-age=")
    assert 0 < int(kept.partition("=")[2]) <= 60


@pytest.mark.parametrize(
    "path", ["/media/", "/media/../fairground.db", "/media/derivative/%2e%2e/%2e%2e/fairground.db", "/media/.secret"]
)
async def test_what_is_no_key_is_not_there(shelf: Shelf, path: str) -> None:
    assert (await shelf.browser.get(path)).status_code == 404


def form_of(shelf: Shelf, *, max_bytes: int = 10) -> UploadForm:
    return shelf.store.offer_upload(new_upload_key(content_type="image/png"), max_bytes=max_bytes, lifetime=MINUTE)


def body_of(form: UploadForm, *parts: str) -> bytes:
    fields = [f'form-data; name="{name}"\r\n\r\n{value}' for name, value in form.fields.items()]
    return "".join(f"--edge\r\nContent-Disposition: {part}\r\n" for part in [*fields, *parts]).encode()


FILE = 'form-data; name="file"; filename="a.png"\r\n\r\ncontent'
END = b"--edge--\r\n"
KIND = "multipart/form-data; boundary=edge"


async def post(shelf: Shelf, body: bytes, *, content_type: str = KIND) -> httpx.Response:
    return await shelf.browser.post("/media/uploads", content=body, headers={"content-type": content_type})


async def test_a_form_by_hand_is_taken(shelf: Shelf) -> None:
    form = form_of(shelf)
    assert (await post(shelf, body_of(form, FILE) + END)).status_code == 204
    assert await shelf.content(form.key) == b"content"


async def test_what_follows_the_file_changes_nothing(shelf: Shelf) -> None:
    form = form_of(shelf)
    body = body_of(form, FILE, f'form-data; name="key"\r\n\r\n{new_upload_key(content_type="image/png")}') + END
    assert (await post(shelf, body)).status_code == 204
    assert await shelf.content(form.key) == b"content"


async def test_a_form_that_is_not_right_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    form = form_of(shelf)
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
        answer = await post(shelf, body)
        assert answer.status_code == 422, body[:200]
        assert answer.json()["code"] in {"storage.upload_refused", "storage.upload_too_large"}
    for content_type in ("", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded; boundary=edge"):
        assert (await post(shelf, whole, content_type=content_type)).status_code == 422
    assert [stored async for stored in shelf.store.list_objects(Retention.UPLOAD)] == []
    assert list((tmp_path / "incoming").iterdir()) == []


@pytest.mark.parametrize("part", ['Content-Disposition: form-data; name="{}"\r\n\r\n', "X-{}: \r\n\r\n", "\r\n"])
def test_many_small_parts_are_too_much_as_well(part: str) -> None:
    """A form without policy comes from anybody: its parts may not take memory or time by their number alone."""
    parts = "".join(f"--edge\r\n{part.format(number)}\r\n" for number in range(20_000))
    with pytest.raises(UploadRefused, match="too long"):
        Form(KIND).feed(parts.encode())


async def test_a_file_may_come_in_any_pieces(shelf: Shelf) -> None:
    """Wherever a packet ends, also in the middle of an edge, the same file arrives."""
    for size in (1, 2, 7, 64):
        form = form_of(shelf)
        body = body_of(form, FILE) + END

        async def pieces(body: bytes = body, size: int = size) -> AsyncIterator[bytes]:
            for start in range(0, len(body), size):
                yield body[start : start + size]

        answer = await shelf.browser.post("/media/uploads", content=pieces(), headers={"content-type": KIND})
        assert answer.status_code == 204
        assert await shelf.content(form.key) == b"content"

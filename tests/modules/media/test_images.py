"""Images: sizes, formats, caching, visibility, and that nothing is decoded twice."""

import asyncio
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest

from fairground.kernel.ids import uuid7
from fairground.modules.media.service import renditions
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.storage.keys import Retention
from tests.support.asgi import bodies_of, call
from tests.support.databases import copy_of
from tests.support.gallery import API, Gallery, open_gallery
from tests.support.pictures import is_upright, list_traces, opened, photograph
from tests.support.portrait_owners import open_portrait_owner
from tests.support.server_process import NoLocks

PHOTO: Final = photograph(450, 600, orientation=8)
BROWSER: Final = {"accept": "image/avif,image/webp,image/*,*/*;q=0.8"}


async def a_picture(gallery: Gallery) -> Any:
    """Return a new picture: bytes behind its end make it another original."""
    content = PHOTO + uuid7().bytes
    sent = await gallery.owner.post(f"{API}/media", files={"file": ("x.jpg", content)})
    picture = await gallery.ready(sent.json()["id"])
    await gallery.place(picture)
    return picture


async def shown_at(gallery: Gallery, what: str) -> str:
    """Return the address of a picture, of a portrait or of initials."""
    if what == "picture":
        return str((await a_picture(gallery))["url"])
    owner = await open_portrait_owner(gallery.program, gallery.visitor)
    if what == "portrait":
        return await owner.choose(await owner.upload(PHOTO + uuid7().bytes))
    return owner.path


@pytest.mark.parametrize(("what", "size"), [("picture", (320, 427)), ("portrait", (320, 320))])
async def test_public_image_has_the_requested_size(gallery: Gallery, what: str, size: tuple[int, int]) -> None:
    url = await shown_at(gallery, what)
    before = gallery.count_renders()
    shown = await gallery.visitor.get(f"{url}&w=150&dpr=2&q=78", headers=BROWSER)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/avif")
    image = opened(shown.content)
    assert image.size == size
    assert is_upright(image)
    assert list_traces(shown.content) == []
    assert shown.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert shown.headers["vary"] == "Accept"
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert shown.headers["content-security-policy"] == "default-src 'none'; sandbox"
    again = await gallery.visitor.get(f"{url}&w=300&q=80", headers=BROWSER)
    assert (again.content, again.headers["etag"]) == (shown.content, shown.headers["etag"])
    assert gallery.count_renders() == before + 1


async def test_renditions_of_the_job_are_not_made_again(gallery: Gallery) -> None:
    picture = await a_picture(gallery)
    before = gallery.count_renders()
    for fmt, kind in (("webp", "image/webp"), ("jpeg", "image/jpeg")):
        shown = await gallery.visitor.get(f"{picture['url']}&w=400&q=80&fmt={fmt}", headers=BROWSER)
        assert (shown.headers["content-type"], opened(shown.content).width) == (kind, 400)
        assert "accept" not in shown.headers.get("vary", "").lower()
    assert gallery.count_renders() == before


@pytest.mark.parametrize("what", ["picture", "portrait", "initials"])
async def test_known_image_is_answered_without_reading_a_file(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    path = f"{urlsplit(await shown_at(gallery, what)).path}?w=64&fmt=webp"
    shown = await gallery.visitor.get(path)
    assert shown.headers["cache-control"] == "public, max-age=60"
    head = await call(gallery.app, "HEAD", path)
    assert (head[0]["status"], bodies_of(head)) == (200, b"")
    assert dict(head[0]["headers"]) == dict(shown.headers.raw)

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("A file was looked at.")

    monkeypatch.setattr(gallery.program.runtime.files, "read", fail)
    monkeypatch.setattr(gallery.program.runtime.files, "head", fail)
    monkeypatch.setattr(Renderer, "render", fail)
    for tags in (shown.headers["etag"], f'W/{shown.headers["etag"]}, "other"', "*"):
        known = await gallery.visitor.get(path, headers={"if-none-match": tags})
        assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", shown.headers["etag"])


async def test_only_ready_pictures_are_shown_and_deleted_ones_are_not_found(gallery: Gallery) -> None:
    offer = await gallery.offer()
    for picture_id in (offer["picture"]["id"], uuid7()):
        missing = await gallery.visitor.get(f"{API}/img/{picture_id}")
        assert (missing.status_code, missing.json()["code"]) == (404, "media.picture_not_found")
    picture = await a_picture(gallery)
    assert (await gallery.visitor.get(picture["url"])).status_code == 200
    await gallery.owner.delete(f"{API}/media/{picture['id']}")
    assert (await gallery.visitor.get(picture["url"])).status_code == 404


async def test_image_query_out_of_bounds_is_refused(gallery: Gallery) -> None:
    for query in ("w=15", "w=2049", "dpr=0.5", "dpr=4", "dpr=nan", "q=39", "q=96", "fmt=gif", "w=many"):
        answer = await gallery.visitor.get(f"{API}/img/{uuid7()}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), query


async def test_rendition_lost_by_the_store_is_made_again(gallery: Gallery) -> None:
    picture = await a_picture(gallery)
    shown = await gallery.visitor.get(f"{picture['url']}&w=96&fmt=webp")
    store = gallery.program.runtime.files
    for stored in [stored async for stored in store.list_objects(Retention.DERIVATIVE)]:
        await store.delete(stored.key)
    again = await gallery.visitor.get(f"{picture['url']}&w=96&fmt=webp")
    assert (again.status_code, again.content) == (200, shown.content)


async def test_public_image_redirects_to_the_cdn(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_STORAGE_CDN_URL", "https://cdn.example/fair")
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        picture = await a_picture(gallery)
        sent_on = await gallery.visitor.get(f"{picture['url']}&w=32&fmt=jpeg")
        assert sent_on.status_code == 302
        assert sent_on.headers["location"].startswith("https://cdn.example/fair/derivative/")
        key = urlsplit(sent_on.headers["location"]).path.removeprefix("/fair/")
        assert (await gallery.program.runtime.files.head(key)).size_bytes > 0


async def rush(gallery: Gallery, url: str, *, count: int) -> list[httpx.Response]:
    paths = [f"{url}&w={width}&fmt=webp" for width in (48, 128, 192)]
    return await asyncio.gather(*(gallery.visitor.get(paths[number % 3]) for number in range(count)))


async def test_rush_for_three_cold_variants_makes_three(gallery: Gallery) -> None:
    picture = await a_picture(gallery)
    before = gallery.count_renders()
    answers = await rush(gallery, picture["url"], count=100)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 3
    assert gallery.count_renders() == before + 3


async def test_rush_without_single_flight_makes_more(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: neither locks on variants nor single-flight in the renderer."""
    monkeypatch.setattr(renditions, "WeakValueDictionary", NoLocks)
    render = Renderer.render

    async def render_alone(renderer: Renderer, _source: str, *arguments: Any) -> Rendered:
        return await render(renderer, str(uuid7()), *arguments)

    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        picture = await a_picture(gallery)
        before = gallery.count_renders()
        monkeypatch.setattr(Renderer, "render", render_alone)
        await rush(gallery, picture["url"], count=9)
        assert gallery.count_renders() > before + 3


async def lose_files(gallery: Gallery) -> None:
    for stored in await gallery.stored():
        await gallery.program.runtime.files.delete(stored)


async def count_failures_of_a_rush(gallery: Gallery, url: str) -> int:
    before = gallery.program.runtime.renderer.stats.failed.total()
    answers = await rush(gallery, url, count=30)
    assert {answer.status_code for answer in answers} == {404}
    return gallery.program.runtime.renderer.stats.failed.total() - before


async def test_rush_for_variants_that_fail_shares_one_failure_each(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control at the end: without remembered failures each request fails by itself."""
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        picture = await a_picture(gallery)
        await lose_files(gallery)
        assert await count_failures_of_a_rush(gallery, picture["url"]) == 3
        await asyncio.sleep(renditions.FAILURE_SECONDS)
        assert await count_failures_of_a_rush(gallery, picture["url"]) == 3, "which is tried again after a moment"
        await asyncio.sleep(renditions.FAILURE_SECONDS)
        monkeypatch.setattr(renditions, "FAILURE_SECONDS", 0)
        assert await count_failures_of_a_rush(gallery, picture["url"]) == 30


async def test_full_queue_is_answered_with_retry_after(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_IMAGES_RENDERERS", "1")
    monkeypatch.setenv("FAIRGROUND_IMAGES_QUEUE_MAX", "1")
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        picture = await a_picture(gallery)
        answers = await rush(gallery, picture["url"], count=12)
        busy = [answer for answer in answers if answer.status_code != 200]
        assert {answer.status_code for answer in busy} == {503}
        assert {answer.json()["code"] for answer in busy} == {"images.renderer_busy"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in busy)
        assert len({answer.content for answer in answers if answer.status_code == 200}) >= 2


async def a_draft(gallery: Gallery) -> Any:
    """Return a picture that its owner has uploaded and not placed."""
    sent = await gallery.owner.post(f"{API}/media", files={"file": ("x.jpg", PHOTO + uuid7().bytes)})
    return await gallery.ready(sent.json()["id"])


async def test_picture_placed_nowhere_is_its_owners_alone(gallery: Gallery) -> None:
    draft = await a_draft(gallery)
    for address in (draft["url"], f"{API}/img/{draft['id']}?w=32", f"{draft['url']}&w=400&q=80&fmt=webp"):
        for other in (gallery.visitor, gallery.stranger):
            for answer in (await other.get(address), await other.head(address)):
                assert (answer.status_code, answer.headers["cache-control"]) == (404, "private, no-store")
        own = await gallery.owner.get(address, headers=BROWSER)
        assert (own.status_code, own.headers["cache-control"]) == (200, "private, max-age=300")
        same = await gallery.owner.get(address, headers=BROWSER | {"if-none-match": own.headers["etag"]})
        assert (same.status_code, same.headers["cache-control"]) == (304, "private, max-age=300")
        known = await gallery.visitor.get(address, headers=BROWSER | {"if-none-match": own.headers["etag"]})
        assert known.status_code == 404


async def test_picture_is_public_from_its_placing_until_its_removal(gallery: Gallery) -> None:
    picture = await a_draft(gallery)
    await gallery.place(picture)
    shown = await gallery.visitor.get(picture["url"])
    assert (shown.status_code, shown.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
    provider_id = (await gallery.owner.get(f"{API}/me/provider")).json()["id"]
    await gallery.owner.delete(f"{API}/service-provider-profiles/{provider_id}/gallery/{picture['id']}")
    # Another size than the one that this server repeats from memory for ten seconds.
    assert (await gallery.visitor.get(f"{picture['url']}&w=320")).status_code == 404


async def test_unversioned_addresses_live_for_a_minute(gallery: Gallery) -> None:
    """A new portrait shows within a minute, at a CDN as well."""
    owner = await open_portrait_owner(gallery.program, gallery.visitor)
    picture = await a_picture(gallery)
    unversioned = [owner.path, f"{API}/img/{picture['id']}", f"{API}/img/{picture['id']}?v=0123456789ab"]
    await owner.choose(await owner.upload(PHOTO + uuid7().bytes))
    for address in (*unversioned, owner.path):
        answer = await gallery.visitor.get(address)
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=60")

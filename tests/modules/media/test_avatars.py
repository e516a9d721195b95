"""Providers' faces: squares of their portraits, monograms, and what browsers may keep of either."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, select

from fairground.kernel.ids import uuid7
from fairground.modules.media.tables import OriginalRow, RenditionRow
from fairground.platform.images.recipes import MASTER
from tests.support.databases import copy_of
from tests.support.faces import Face, open_face
from tests.support.gallery import API, Gallery, open_gallery
from tests.support.pictures import opened, photograph

PHOTO: Final = photograph(450, 600, orientation=8)


async def a_face(gallery: Gallery) -> Face:
    return await open_face(gallery.program, gallery.nobody)


async def a_portrait(face: Face) -> str:
    """Choose a picture that nobody has brought before: bytes behind its end make it another original."""
    return await face.choose(await face.bring(PHOTO + uuid7().bytes))


async def test_every_width_is_brought_to_a_step(gallery: Gallery) -> None:
    url = await a_portrait(await a_face(gallery))
    for query, wanted in (("w=16", 32), ("w=256", 256), ("w=100&dpr=1.5", 192), ("w=1024&dpr=3", 1024), ("", 512)):
        shown = await gallery.nobody.get(f"{url}&fmt=jpeg&{query}")
        assert opened(shown.content).size == (wanted, wanted), query
        assert shown.headers["content-type"] == "image/jpeg"
        assert "accept" not in shown.headers.get("vary", "").lower()


async def test_a_face_is_made_of_its_master(gallery: Gallery) -> None:
    url = await a_portrait(await a_face(gallery))
    store = gallery.program.runtime.files
    for original in await stored_keys(gallery, OriginalRow.key):
        await store.delete(original)
    assert (await gallery.nobody.get(f"{url}&w=96&fmt=webp")).status_code == 200


@pytest.mark.parametrize("lost", ["the file", "the row"])
async def test_a_master_that_was_lost_is_made_anew(gallery: Gallery, lost: str) -> None:
    url = await a_portrait(await a_face(gallery))
    shown = await gallery.nobody.get(f"{url}&w=64&fmt=webp")
    for key in await stored_keys(gallery, RenditionRow.key):
        await gallery.program.runtime.files.delete(key)
    if lost == "the row":
        async with gallery.program.db.write() as tx:
            await tx.execute(delete(RenditionRow))
    again = await gallery.nobody.get(f"{url}&w=64&fmt=webp")
    assert (again.status_code, again.content) == (200, shown.content)
    assert MASTER.name in await stored_keys(gallery, RenditionRow.recipe)


async def stored_keys(gallery: Gallery, column: Any) -> list[str]:
    async with gallery.program.db.read() as tx:
        return list(await tx.scalars(select(column)))


async def test_who_has_no_portrait_is_shown_by_initials(gallery: Gallery) -> None:
    face = await a_face(gallery)
    before = gallery.count_renders()
    for fmt in ("webp", "jpeg", "avif"):
        for _ in range(2):
            shown = await gallery.nobody.get(f"{face.path}?w=96&fmt={fmt}")
            assert (shown.status_code, shown.headers["content-type"]) == (200, f"image/{fmt}")
            assert opened(shown.content).size == (96, 96)
    assert gallery.count_renders() == before + 3


async def test_a_face_has_another_etag_when_name_or_portrait_change(gallery: Gallery) -> None:
    face = await a_face(gallery)

    async def etag() -> str:
        return str((await gallery.nobody.head(f"{face.path}?w=64&fmt=webp")).headers["etag"])

    seen = [await etag()]
    await face.rename("Bella Quist")
    seen.append(await etag())
    picture = await face.bring(PHOTO + uuid7().bytes)
    first = await face.choose(picture)
    seen.append(await etag())
    second = await a_portrait(face)
    seen.append(await etag())
    assert len(set(seen)) == 4
    assert urlsplit(first).path == urlsplit(second).path == face.path
    # At an address with the version before, the new picture is not kept for ever.
    old = await gallery.nobody.get(f"{first}&w=64&fmt=webp")
    assert (old.headers["etag"], old.headers["cache-control"]) == (seen[3], "public, max-age=60")


async def test_with_the_portrait_the_initials_come_back(gallery: Gallery) -> None:
    face = await a_face(gallery)
    initials = (await gallery.nobody.get(f"{face.path}?w=64&fmt=webp")).content
    picture = await face.bring(PHOTO + uuid7().bytes)
    await face.choose(picture)
    assert (await gallery.nobody.get(f"{face.path}?w=64&fmt=webp")).content != initials
    await face.remove(picture)
    assert (await gallery.nobody.get(f"{face.path}?w=64&fmt=webp")).content == initials


async def test_nobody_has_the_face_of_nobody(gallery: Gallery) -> None:
    unknown = await gallery.nobody.get(f"{API}/img/avatar/{uuid7()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "catalog.provider_not_found")
    for name in ("maya", "..%2f..%2fetc", "https:%2f%2fexample.org"):
        assert (await gallery.nobody.get(f"{API}/img/avatar/{name}")).status_code in {404, 422}


async def test_what_is_out_of_bounds_is_refused(gallery: Gallery) -> None:
    for query in ("w=15", "w=1025", "dpr=0.5", "dpr=3.1", "dpr=nan", "q=39", "q=96", "fmt=svg", "w=many"):
        answer = await gallery.nobody.get(f"{API}/img/avatar/{uuid7()}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), query


async def test_a_cdn_gives_what_is_kept(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRGROUND_STORAGE_CDN_URL", "https://cdn.example/fair")
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        face = await a_face(gallery)
        assert (await gallery.nobody.get(f"{face.path}?w=32&fmt=jpeg")).status_code == 200
        sent_on = await gallery.nobody.get(f"{await a_portrait(face)}&w=32&fmt=jpeg")
        assert sent_on.status_code == 302
        key = urlsplit(sent_on.headers["location"]).path.removeprefix("/fair/")
        assert (await gallery.program.runtime.files.head(key)).size_bytes > 0

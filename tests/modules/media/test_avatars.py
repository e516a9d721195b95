"""Avatars: squares of portraits, monograms, and how long browsers may keep either."""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete, select

from fairground.kernel.ids import uuid7
from fairground.modules.media.tables import OriginalRow, RenditionRow
from fairground.platform.images.recipes import MASTER
from tests.support.databases import copy_of
from tests.support.gallery import API, Gallery, open_gallery
from tests.support.pictures import opened, photograph
from tests.support.portrait_owners import PortraitOwner, open_portrait_owner

PHOTO: Final = photograph(450, 600, orientation=8)


async def an_owner(gallery: Gallery) -> PortraitOwner:
    return await open_portrait_owner(gallery.program, gallery.visitor)


async def a_portrait(owner: PortraitOwner) -> str:
    """Choose a new picture: bytes behind its end make it another original."""
    return await owner.choose(await owner.upload(PHOTO + uuid7().bytes))


async def test_avatar_width_is_rounded_up_to_a_step(gallery: Gallery) -> None:
    url = await a_portrait(await an_owner(gallery))
    for query, width_px in (("w=16", 32), ("w=256", 256), ("w=100&dpr=1.5", 192), ("w=1024&dpr=3", 1024), ("", 512)):
        shown = await gallery.visitor.get(f"{url}&fmt=jpeg&{query}")
        assert opened(shown.content).size == (width_px, width_px), query
        assert shown.headers["content-type"] == "image/jpeg"
        assert "accept" not in shown.headers.get("vary", "").lower()


async def test_avatar_is_made_from_its_master(gallery: Gallery) -> None:
    url = await a_portrait(await an_owner(gallery))
    store = gallery.program.runtime.files
    for original in await stored_keys(gallery, OriginalRow.key):
        await store.delete(original)
    assert (await gallery.visitor.get(f"{url}&w=96&fmt=webp")).status_code == 200


@pytest.mark.parametrize("lost", ["the file", "the row"])
async def test_lost_master_is_made_again(gallery: Gallery, lost: str) -> None:
    url = await a_portrait(await an_owner(gallery))
    shown = await gallery.visitor.get(f"{url}&w=64&fmt=webp")
    for key in await stored_keys(gallery, RenditionRow.key):
        await gallery.program.runtime.files.delete(key)
    if lost == "the row":
        async with gallery.program.db.write() as tx:
            await tx.execute(delete(RenditionRow))
    again = await gallery.visitor.get(f"{url}&w=64&fmt=webp")
    assert (again.status_code, again.content) == (200, shown.content)
    assert MASTER.name in await stored_keys(gallery, RenditionRow.recipe)


async def stored_keys(gallery: Gallery, column: Any) -> list[str]:
    async with gallery.program.db.read() as tx:
        return list(await tx.scalars(select(column)))


async def test_avatar_without_a_portrait_shows_initials(gallery: Gallery) -> None:
    owner = await an_owner(gallery)
    before = gallery.count_renders()
    for fmt in ("webp", "jpeg", "avif"):
        for _ in range(2):
            shown = await gallery.visitor.get(f"{owner.path}?w=96&fmt={fmt}")
            assert (shown.status_code, shown.headers["content-type"]) == (200, f"image/{fmt}")
            assert opened(shown.content).size == (96, 96)
    assert gallery.count_renders() == before + 3


async def test_avatar_has_another_etag_after_a_change_of_name_or_portrait(gallery: Gallery) -> None:
    owner = await an_owner(gallery)

    async def etag() -> str:
        return str((await gallery.visitor.head(f"{owner.path}?w=64&fmt=webp")).headers["etag"])

    seen = [await etag()]
    await owner.rename("Bella Quist")
    seen.append(await etag())
    picture = await owner.upload(PHOTO + uuid7().bytes)
    first = await owner.choose(picture)
    seen.append(await etag())
    second = await a_portrait(owner)
    seen.append(await etag())
    assert len(set(seen)) == 4
    assert urlsplit(first).path == urlsplit(second).path == owner.path
    # At the address with the older version, the new picture is not cached for ever.
    old = await gallery.visitor.get(f"{first}&w=64&fmt=webp")
    assert (old.headers["etag"], old.headers["cache-control"]) == (seen[3], "public, max-age=60")


async def test_deleting_the_portrait_brings_the_initials_back(gallery: Gallery) -> None:
    owner = await an_owner(gallery)
    initials = (await gallery.visitor.get(f"{owner.path}?w=64&fmt=webp")).content
    picture = await owner.upload(PHOTO + uuid7().bytes)
    await owner.choose(picture)
    assert (await gallery.visitor.get(f"{owner.path}?w=64&fmt=webp")).content != initials
    await owner.remove(picture)
    assert (await gallery.visitor.get(f"{owner.path}?w=64&fmt=webp")).content == initials


async def test_avatar_of_an_unknown_provider_is_not_found(gallery: Gallery) -> None:
    unknown = await gallery.visitor.get(f"{API}/img/avatar/{uuid7()}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "catalog.provider_not_found")
    for name in ("maya", "..%2f..%2fetc", "https:%2f%2fexample.org"):
        assert (await gallery.visitor.get(f"{API}/img/avatar/{name}")).status_code in {404, 422}


async def test_avatar_query_out_of_bounds_is_refused(gallery: Gallery) -> None:
    for query in ("w=15", "w=1025", "dpr=0.5", "dpr=3.1", "dpr=nan", "q=39", "q=96", "fmt=svg", "w=many"):
        answer = await gallery.visitor.get(f"{API}/img/avatar/{uuid7()}?{query}")
        assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid"), query


async def test_portrait_redirects_to_the_cdn_and_a_monogram_does_not(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_STORAGE_CDN_URL", "https://cdn.example/fair")
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        owner = await an_owner(gallery)
        assert (await gallery.visitor.get(f"{owner.path}?w=32&fmt=jpeg")).status_code == 200
        sent_on = await gallery.visitor.get(f"{await a_portrait(owner)}&w=32&fmt=jpeg")
        assert sent_on.status_code == 302
        key = urlsplit(sent_on.headers["location"]).path.removeprefix("/fair/")
        assert (await gallery.program.runtime.files.head(key)).size_bytes > 0

"""Pictures that rows of an import name by address: fetched in the background, judged and shown like uploads."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from sqlalchemy import func, select

from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.providers import Galleries, Providers
from fairground.modules.imports.service.picture_addresses import FetchPicture
from fairground.modules.media.tables import PictureRow
from fairground.ops.images.module import _check_embedded
from fairground.ops.imports.run import Summary
from tests.support.embedded import a_photo, bring_in
from tests.support.gallery import Gallery, open_gallery
from tests.support.raw_server import RawServer, answer_with, ok, serving

NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
AWAY = b"HTTP/1.1 503 Away\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"


@dataclass(frozen=True)
class Office:
    gallery: Gallery
    pictures: RawServer
    folder: Path

    @property
    def embedded(self) -> EmbeddedPictures:
        return self.gallery.program.links.of(EmbeddedPictures)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.pictures.port}{path}"

    async def bring_in(self, *rows: dict[str, Any]) -> Summary:
        return await bring_in(self.gallery.program, list(rows), folder=self.folder)

    async def settled(self) -> None:
        """Wait until no address is being fetched or rendered."""
        with anyio.fail_after(60):
            while (await self.embedded.inspect_embedded()).fetching:
                await anyio.sleep(0.1)

    async def portrait(self) -> str | None:
        return (await self.gallery.program.links.of(Providers).get_provider(id_or_slug="ann-duo")).profile_picture_url

    async def gallery_widths(self) -> list[int]:
        pictures = await self.gallery.program.links.of(Galleries).list_gallery(id_or_slug="ann-duo")
        return sorted(picture.width_px for picture in pictures)

    async def failures(self) -> dict[str, str]:
        return {
            each.url.partition(f":{self.pictures.port}")[2]: each.code
            for each in (await self.embedded.inspect_embedded()).failed_addresses
        }

    async def count_pictures(self) -> int:
        async with self.gallery.program.db.read() as tx:
            count: int = await tx.scalar(select(func.count()).select_from(PictureRow))
        return count


@pytest.fixture
async def office(migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Office]:
    async with serving(answer_with(NOT_FOUND)) as pictures:
        monkeypatch.setenv("FAIRGROUND_OUTBOUND_ALLOW", "127.0.0.1")
        monkeypatch.setenv("FAIRGROUND_OUTBOUND_PORTS", str(pictures.port))
        async with open_gallery(migrated_url, tmp_path / "data") as gallery:
            yield Office(gallery, pictures, tmp_path)


def row(office: Office, **more: Any) -> dict[str, Any]:
    return {"id": "ann", "name": "Ann Duo", "profile_picture_url": office.url("/face.jpg"), **more}


async def test_pictures_of_addresses_are_fetched_and_shown(office: Office) -> None:
    office.pictures.files |= {
        "/face.jpg": ok(a_photo(400), media_type="image/jpeg"),
        "/a.jpg?w=1,2": ok(a_photo(410), media_type="application/octet-stream"),
        "/b.jpg": ok(a_photo(420), media_type="image/jpg"),
    }
    named = f"{office.url('/a.jpg?w=1,2')}, {office.url('/b.jpg')}"
    summary = await office.bring_in(row(office, portfolio_image_urls=named))
    assert (summary.created, summary.pictures, summary.addresses) == (1, 0, 3)
    await office.settled()
    assert await office.failures() == {}
    url = await office.portrait()
    assert (await office.gallery.visitor.get(f"{url}&w=64")).status_code == 200
    assert await office.gallery_widths() == [410, 420]


async def test_address_that_fails_for_good_is_named_with_its_reason_and_its_row_stays(office: Office) -> None:
    office.pictures.files |= {
        "/page": ok(b"<html>", media_type="text/html"),
        "/broken.jpg": ok(a_photo(400)[:-2000], media_type="image/jpeg"),
        "/moved": b"HTTP/1.1 301 Moved\r\nLocation: /face.jpg\r\nContent-Length: 0\r\n\r\n",
    }
    named = " ".join(map(office.url, ["/page", "/broken.jpg", "/moved"]))
    summary = await office.bring_in(row(office, portfolio_image_urls=named))
    assert (summary.created, summary.addresses) == (1, 4)
    await office.settled()
    assert await office.failures() == {
        "/face.jpg": "outbound.status_refused",
        "/page": "outbound.type_refused",
        "/broken.jpg": "images.broken",
        "/moved": "outbound.redirected",
    }
    assert (await office.portrait(), await office.gallery_widths()) == (None, [])
    texts = [result.text async for result in _check_embedded(office.embedded)]
    assert any("/face.jpg (provider " in text and "answered with status 404" in text for text in texts)


async def test_server_that_is_away_is_asked_again(office: Office) -> None:
    office.pictures.files["/face.jpg"] = AWAY
    await office.bring_in(row(office))
    with anyio.fail_after(30):
        while not office.pictures.connections:
            await anyio.sleep(0.02)
    assert (await office.embedded.inspect_embedded()).fetching == 1
    office.pictures.files["/face.jpg"] = ok(a_photo(400))
    await office.settled()
    assert await office.portrait()


async def test_server_that_stays_away_is_given_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FetchPicture, "max_attempts", 2)
    office.pictures.files["/face.jpg"] = AWAY
    await office.bring_in(row(office))
    await office.settled()
    assert await office.failures() == {"/face.jpg": "outbound.unavailable"}
    assert office.pictures.connections == 2


async def test_same_address_is_fetched_again_only_when_its_row_has_changed(office: Office) -> None:
    office.pictures.files["/face.jpg"] = ok(a_photo(400))
    await office.bring_in(row(office))
    await office.settled()
    first = await office.portrait()
    assert (await office.bring_in(row(office))).addresses == 0
    assert office.pictures.connections == 1
    # The same bytes: nothing changes.
    assert (await office.bring_in(row(office, price="300"))).addresses == 1
    await office.settled()
    assert (await office.portrait(), office.pictures.connections) == (first, 2)
    # Other bytes take the place of those before.
    office.pictures.files["/face.jpg"] = ok(a_photo(440))
    await office.bring_in(row(office, price="400"))
    await office.settled()
    assert await office.portrait() not in {first, None}
    assert await office.count_pictures() == 1
    # An address that cannot be fetched any more leaves what is shown.
    shown = await office.portrait()
    del office.pictures.files["/face.jpg"]
    await office.bring_in(row(office, price="500"))
    await office.settled()
    assert (await office.portrait(), await office.failures()) == (shown, {"/face.jpg": "outbound.status_refused"})
    # And comes back with the next change of the row.
    office.pictures.files["/face.jpg"] = ok(a_photo(460))
    await office.bring_in(row(office, price="600"))
    await office.settled()
    assert await office.portrait() not in {shown, None}
    assert (await office.count_pictures(), await office.failures()) == (1, {})


async def test_picture_of_a_gallery_is_replaced_when_its_address_has_another(office: Office) -> None:
    office.pictures.files["/a.jpg"] = ok(a_photo(410))
    named = {"id": "ann", "name": "Ann Duo", "portfolio_image_urls": office.url("/a.jpg")}
    await office.bring_in(named)
    await office.settled()
    office.pictures.files["/a.jpg"] = ok(a_photo(420))
    await office.bring_in({**named, "price": "300"})
    await office.settled()
    with anyio.fail_after(30):
        while await office.gallery_widths() != [420]:
            await anyio.sleep(0.05)


async def test_many_pictures_of_one_host_take_turns(office: Office) -> None:
    paths = [f"/{number}.jpg" for number in range(8)]
    office.pictures.files |= {path: ok(a_photo(400 + 2 * number)) for number, path in enumerate(paths)}
    named = " ".join(map(office.url, paths))
    await office.bring_in({"id": "ann", "name": "Ann Duo", "portfolio_image_urls": named})
    await office.settled()
    assert len(await office.gallery_widths()) == 8
    assert sorted(office.pictures.paths) == paths


async def test_private_address_is_never_asked(office: Office) -> None:
    async with serving(answer_with(ok(a_photo(400))), hosts=("127.0.0.2",), port=office.pictures.port) as canary:
        named = f"http://127.0.0.2:{canary.port}/face.jpg"
        await office.bring_in({"id": "ann", "name": "Ann Duo", "profile_picture_url": named})
        await office.settled()
        assert canary.connections == 0
    report = await office.embedded.inspect_embedded()
    assert [each.code for each in report.failed_addresses] == ["outbound.address_refused"]


async def test_export_names_addresses_that_are_not_fetched_yet(office: Office) -> None:
    office.pictures.files["/face.jpg"] = AWAY
    await office.bring_in(row(office))
    [provider] = (await office.gallery.program.links.of(Providers).get_provider(id_or_slug="ann-duo"),)
    waiting = await office.embedded.list_waiting(provider_id=provider.id)
    assert [json.loads(each.model_dump_json())["url"] for each in waiting] == [office.url("/face.jpg")]

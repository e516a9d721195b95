"""Pictures embedded in rows of other systems: imported, made into files by staff, public then."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import func, select

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.media import Pictures
from fairground.contracts.providers import Galleries
from fairground.kernel.ids import uuid7
from fairground.modules.media.tables import PictureRow
from fairground.ops.imports.run import Summary
from tests.support.embedded import ROWS, a_photo, bring_in, embedded
from tests.support.gallery import API, Gallery, open_gallery


@dataclass(frozen=True)
class Office:
    gallery: Gallery
    staff: httpx.AsyncClient
    folder: Path

    async def bring_in(self, rows: list[dict[str, Any]]) -> Summary:
        return await bring_in(self.gallery.program, rows, folder=self.folder)

    async def migrate(self, what: str) -> Any:
        """Start a run, wait for its end, and return how it went."""
        begun = await self.staff.post(f"{API}/ops/migrate-{what}-to-files")
        assert begun.status_code == 202
        with anyio.fail_after(60):
            while (run := (await self.staff.get(begun.headers["location"])).json())["finished_at"] is None:
                assert run["found"] >= run["migrated"] + run["failed"]
                await anyio.sleep(0.1)
        return run

    async def shown(self, slug: str) -> Any:
        answer = await self.gallery.visitor.get(f"{API}/service-provider-profiles/{slug}")
        return answer.raise_for_status().json()

    async def texts_of_gallery(self, slug: str) -> list[tuple[str, int]]:
        pictures = await self.gallery.program.links.of(Galleries).list_gallery(id_or_slug=slug)
        for picture in pictures:
            assert (await self.gallery.visitor.get(f"{picture.url}&w=64")).status_code == 200
        return [(picture.alt, picture.width_px) for picture in pictures]

    async def count_pictures(self) -> int:
        async with self.gallery.program.db.read() as tx:
            count: int = await tx.scalar(select(func.count()).select_from(PictureRow))
        return count


@pytest.fixture
async def office(migrated_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with open_gallery(migrated_url, tmp_path / "data") as gallery:
        accounts = gallery.program.links.of(Accounts)
        [user] = await accounts.create_users_in_bulk(
            users=[("staff@example.org", "staff", Role.ADMIN)], password="correct horse battery"
        )
        secret = (await accounts.create_token(user_id=user.id, name="test")).secret
        transport, headers = gallery.visitor._transport, {"authorization": f"Bearer {secret}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers) as staff:
            yield Office(gallery, staff, tmp_path)


def outcome(run: Any) -> tuple[int, int, int]:
    return run["found"], run["migrated"], run["failed"]


async def test_pictures_of_an_import_become_files_and_a_second_run_finds_none(office: Office) -> None:
    summary = await office.bring_in(ROWS)
    assert (summary.created, summary.pictures) == (5, 7)
    assert (await office.shown("ann-duo"))["profile_picture_url"] is None
    profiles, services = await office.migrate("profile-images"), await office.migrate("service-media")
    assert (outcome(profiles), outcome(services)) == ((5, 3, 2), (2, 1, 1))
    assert {failure["code"] for failure in profiles["failures"]} == {"images.type_refused", "images.broken"}
    url = (await office.shown("ann-duo"))["profile_picture_url"]
    assert (await office.gallery.visitor.get(f"{url}&w=64")).status_code == 200
    assert sorted(await office.texts_of_gallery("ann-duo")) == [
        ("Ann Duo", 410),
        ("Ann Duo", 420),
        ("Evening set, Ann Duo", 430),
    ]
    for slug in ("bob", "cyd", "dan", "eve"):
        assert (await office.shown(slug))["profile_picture_url"] is None
        assert await office.texts_of_gallery(slug) == []
    for what in ("profile-images", "service-media"):
        assert outcome(await office.migrate(what)) == (0, 0, 0)


async def test_the_next_import_brings_only_what_is_new(office: Office) -> None:
    await office.bring_in(ROWS[:1])
    await office.migrate("profile-images")
    first = (await office.shown("ann-duo"))["profile_picture_url"]
    again = await office.bring_in([{**ROWS[0], "price": "300"}])
    assert (again.updated, again.pictures) == (1, 0)
    assert (await office.shown("ann-duo"))["profile_picture_url"] == first
    other = await office.bring_in([{**ROWS[0], "profile_picture_url": embedded(a_photo(460))}])
    assert (other.updated, other.pictures) == (1, 1)
    assert outcome(await office.migrate("profile-images")) == (1, 1, 0)
    assert (await office.shown("ann-duo"))["profile_picture_url"] != first
    assert await office.count_pictures() == 3  # without the portrait that was before
    assert len(await office.texts_of_gallery("ann-duo")) == 2


async def test_a_step_that_dies_half_way_is_repeated_and_brings_no_picture_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures, brought = office.gallery.program.links.of(Pictures), list[Any]()
    bring = pictures.add_picture

    async def bring_and_fail(**what: Any) -> Any:
        picture = await bring(**what)
        brought.append(picture.id)
        if len(brought) == 2:
            raise ConnectionError("incomplete")
        return picture

    monkeypatch.setattr(pictures, "add_picture", bring_and_fail)
    await office.bring_in(ROWS[:1])
    assert outcome(await office.migrate("profile-images")) == (3, 3, 0)
    assert len(brought) == 4
    assert len(set(brought)) == 3
    assert len(await office.texts_of_gallery("ann-duo")) == 2


async def test_only_staff_start_a_migration_and_a_second_request_joins_the_first(office: Office) -> None:
    path = f"{API}/ops/migrate-profile-images-to-files"
    assert (await office.gallery.owner.post(path)).json()["code"] == "identity.staff_only"
    assert (await office.gallery.visitor.post(path)).status_code == 401
    await office.bring_in(ROWS[:1])
    begun = [(await office.staff.post(path)).json()["id"] for _ in range(2)]
    assert begun[0] == begun[1]
    assert outcome(await office.migrate("profile-images")) == (3, 3, 0)
    missing = await office.staff.get(f"{API}/ops/picture-migrations/{uuid7()}")
    assert (missing.status_code, missing.json()["code"]) == (404, "catalog.migration_not_found")

"""Rushes for pictures: each is made once, a full queue is answered with Retry-After, and no request hangs."""

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fairground.platform.storage.store import Store
from tests.support.databases import copy_of
from tests.support.gallery import open_gallery
from tests.support.picture_server import PictureServer, serving_pictures
from tests.support.pictures import photograph
from tests.support.portrait_owners import PortraitOwner, open_portrait_owner
from tests.support.proofs import IS_FULL, Dose

pytestmark = pytest.mark.timeout(1800 if IS_FULL else 180)

PHOTO: Final = photograph(1600, 1200)
SQUARES: Final = tuple(f"w={width}&fmt={fmt}" for width in (48, 96, 256, 512) for fmt in ("webp", "jpeg"))
WHOLE: Final = ("w=64&fmt=webp", "w=640&fmt=avif")
Figures = Callable[[str, float, str], None]


async def ten_cold(owner: PortraitOwner) -> list[str]:
    """Return the addresses of ten variants that were never requested."""
    picture = await owner.upload(PHOTO)
    square = await owner.choose(picture)
    return [f"{square}&{query}" for query in SQUARES] + [f"{picture['url']}&{query}" for query in WHOLE]


async def rush(client: httpx.AsyncClient, addresses: Sequence[str]) -> list[httpx.Response]:
    return await asyncio.gather(*(client.get(address) for address in addresses))


async def test_a_thousand_requests_for_ten_cold_variants_make_ten(
    sqlite_template: Path, tmp_path: Path, dose: Dose, figure: Figures
) -> None:
    callers = dose(small=100, full=1_000)
    async with serving_pictures(sqlite_template, tmp_path) as serving:
        addresses = await ten_cold(await serving.open_portrait_owner())
        before = await serving.count_renders()
        answers = await rush(serving.client, addresses * (callers // 10))
        made = await serving.count_renders() - before
    assert [answer.status_code for answer in answers] == [200] * callers
    assert len({answer.content for answer in answers}) == len({answer.headers["etag"] for answer in answers}) == 10
    assert made == 10
    figure(f"renders for {callers} simultaneous requests for 10 cold variants over HTTP", made, "renders")


async def test_where_each_asks_for_itself_more_are_made(sqlite_template: Path, tmp_path: Path) -> None:
    """The control: neither turns at a variant, nor one flight for all who want the same."""
    async with serving_pictures(sqlite_template, tmp_path, has_turns=False, queue_max=1_000) as serving:
        addresses = await ten_cold(await serving.open_portrait_owner())
        before = await serving.count_renders()
        await rush(serving.client, addresses * 5)
        assert await serving.count_renders() - before > 10


async def all_variants(owner: PortraitOwner, *, count: int) -> list[str]:
    """Return addresses of which no two are the same variant."""
    square = await owner.choose(await owner.upload(PHOTO))
    widths, qualities, formats = (32, 48, 64, 96, 128, 192, 256, 320, 400, 512), range(40, 100, 5), ("webp", "jpeg")
    queries = itertools.product(widths, qualities, formats)
    return [f"{square}&w={width}&q={quality}&fmt={fmt}" for width, quality, fmt in itertools.islice(queries, count)]


async def come_again(serving: PictureServer, address: str, answer: httpx.Response) -> httpx.Response:
    """Do what a patient caller does: wait as long as the answer says, and ask again."""
    while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        await asyncio.sleep(int(answer.headers["retry-after"]))
        answer = await serving.client.get(address)
    return answer


async def test_who_comes_to_a_full_queue_is_told_when_to_come_again_and_then_gets_it(
    sqlite_template: Path, tmp_path: Path, dose: Dose, figure: Figures
) -> None:
    async with serving_pictures(sqlite_template, tmp_path, renderers=1, queue_max=8) as serving:
        addresses = await all_variants(await serving.open_portrait_owner(), count=dose(small=24, full=240))
        answers = await rush(serving.client, addresses)
        busy = [answer for answer in answers if answer.status_code != httpx.codes.OK]
        assert busy
        assert {answer.status_code for answer in busy} == {503}
        assert {answer.json()["code"] for answer in busy} == {"images.renderer_busy"}
        assert all(int(answer.headers["retry-after"]) > 0 for answer in busy)
        async with asyncio.timeout(120):
            patient = (come_again(serving, *each) for each in zip(addresses, answers, strict=True))
            assert {answer.status_code for answer in await asyncio.gather(*patient)} == {200}
    seconds = max(answer.elapsed.total_seconds() for answer in busy)
    figure(f"of {len(answers)} at once that were sent away, the last heard so after", seconds, "s")


async def test_queue_with_room_refuses_no_request(sqlite_template: Path, tmp_path: Path) -> None:
    """The control: it is the queue that refuses, not the rush."""
    async with serving_pictures(sqlite_template, tmp_path, renderers=1, queue_max=1_000) as serving:
        answers = await rush(serving.client, await all_variants(await serving.open_portrait_owner(), count=24))
        assert {answer.status_code for answer in answers} == {200}


class CountedReads:
    """Counts how often a store is asked for a file, or for what it knows of one."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        for name in ("read", "head"):
            monkeypatch.setattr(store, name, self._counting(getattr(store, name)))

    def _counting(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def count(*positional: Any, **named: Any) -> Any:
            self.count += 1
            return ask(*positional, **named)

        return count


async def test_who_has_a_picture_is_told_so_without_a_read(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        addresses = await ten_cold(await open_portrait_owner(gallery.program, gallery.visitor))
        etags = [answer.headers["etag"] for answer in await rush(gallery.visitor, addresses)]
        reads = CountedReads(gallery.program.runtime.files, monkeypatch)
        for method in ("GET", "HEAD"):
            for address, etag in zip(addresses, etags, strict=True):
                known = await gallery.visitor.request(method, address, headers={"if-none-match": etag})
                assert (known.status_code, known.content) == (304, b"")
        assert reads.count == 0
        # The control: what is not known is read, once.
        await rush(gallery.visitor, addresses)
        assert reads.count == len(addresses)

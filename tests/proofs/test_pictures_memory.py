"""Ten thousand pictures are made by a running server, and neither it nor its children grow."""

import asyncio
import itertools
import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from fairground.kernel.ids import uuid7
from fairground.platform.images.recipes import AVATAR_MAX_PX, LADDER_PX
from tests.support.picture_server import PictureServer, serving_pictures
from tests.support.pictures import photograph
from tests.support.proofs import IS_FULL

pytestmark = [
    pytest.mark.timeout(3600),
    pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="NOT RUN: no /proc tells the size of a process"),
    pytest.mark.skipif(not IS_FULL, reason="NOT RUN: a few dozen pictures say nothing; `make proof` makes thousands"),
]

GROWTH_MAX: Final = 1.15
CALLERS: Final = 8
MIB: Final = 1024 * 1024
PHOTOS: Final = ((1600, 1200, "JPEG"), (3000, 2000, "JPEG"), (900, 1200, "PNG"), (640, 480, "WEBP"))
Figures = Callable[[str, float, str], None]


@dataclass(frozen=True)
class Sizes:
    """Resident bytes."""

    server: int
    children: int


async def test_ten_thousand_renders_leave_no_more_memory_than_the_first(
    sqlite_template: Path, tmp_path: Path, figure: Figures
) -> None:
    warm_up, renders = 2_000, 10_000
    async with serving_pictures(sqlite_template, tmp_path) as serving:
        addresses = iter(await mixed_variants(serving, photos=32))
        before, after = await render(serving, addresses, warm_up=warm_up, renders=renders)
    for name in ("server", "children"):
        first = getattr(before, name)
        growth = settled([getattr(each, name) for each in after]) / first
        figure(f"{name}: memory after {renders} renders, by that after {warm_up}", growth, "×")
        figure(f"{name}: memory after {warm_up} renders", first / MIB, "MiB")
        assert growth <= GROWTH_MAX, name


async def test_what_keeps_a_little_of_each_picture_is_noticed(sqlite_template: Path, tmp_path: Path) -> None:
    """The control: 500 kB are lost with each."""
    async with serving_pictures(sqlite_template, tmp_path, lost_bytes=500_000) as serving:
        addresses = iter(await mixed_variants(serving, photos=1))
        before, after = await render(serving, addresses, warm_up=40, renders=80)
    assert settled([each.server for each in after]) / before.server > GROWTH_MAX


async def render(
    serving: PictureServer, addresses: Iterator[str], *, warm_up: int, renders: int
) -> tuple[Sizes, list[Sizes]]:
    """Have pictures made; return the sizes after the warm-up, and at ten moments after that."""
    await ask_for(serving, itertools.islice(addresses, warm_up))
    made, before, after = await serving.count_renders(), sizes_of(serving), []
    for _ in range(10):
        await ask_for(serving, itertools.islice(addresses, renders // 10))
        after.append(sizes_of(serving))
    # A few had been made when the photo was brought.
    assert await serving.count_renders() - made >= 0.95 * renders
    return before, after


def settled(sizes: Sequence[int]) -> float:
    """Return where a size comes to rest: children are replaced now and then, so a moment of one says little."""
    return statistics.median(sizes[5:])


async def mixed_variants(serving: PictureServer, *, photos: int) -> list[str]:
    """Return addresses of whole pictures, faces and monograms in all sizes and formats, each of another variant."""
    owner = await serving.open_portrait_owner()
    monograms = list(variants(owner.path + "?", widest_px=AVATAR_MAX_PX))
    addresses = [address for address in monograms if "q=90" in address]
    for number in range(photos):
        owner = await serving.open_portrait_owner()
        width_px, height_px, kind = PHOTOS[number % len(PHOTOS)]
        picture = await owner.upload(photograph(width_px, height_px, kind=kind) + uuid7().bytes)
        addresses += variants(await owner.choose(picture) + "&", widest_px=AVATAR_MAX_PX)
        addresses += variants(picture["url"] + "&", widest_px=width_px)
    random.Random(1).shuffle(addresses)
    # The dearest first, or a child would come across one only after the warm-up.
    return sorted(addresses, key=lambda address: f"w={PHOTOS[0][0]}&" not in address or "avif" not in address)


def variants(beginning: str, *, widest_px: int) -> Iterator[str]:
    widths_px = [px for px in LADDER_PX if px <= widest_px]
    for width_px, quality, fmt in itertools.product(widths_px, range(55, 100, 5), ("jpeg", "webp", "avif")):
        yield f"{beginning}w={width_px}&q={quality}&fmt={fmt}"


async def ask_for(serving: PictureServer, addresses: Iterator[str]) -> None:
    async def ask() -> None:
        for address in addresses:
            answer = await serving.client.get(address)
            assert answer.status_code == 200, answer.text

    await asyncio.gather(*(ask() for _ in range(CALLERS)))


def sizes_of(serving: PictureServer) -> Sizes:
    server = serving.server
    return Sizes(_resident_bytes(server.process_id), sum(map(_resident_bytes, server.children())))


def _resident_bytes(process_id: int) -> int:
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * 4096

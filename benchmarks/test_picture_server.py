"""The cost of an avatar for a server when it is rendered, when it is stored and when the caller has it: CPU and waits.

Two callers send requests, each the next as soon as it is answered. Rounds alternate; each ratio is that of one round,
and the figure is the median of five. Waits are wall time, so they depend on the machine: its load is a figure too.
"""

import asyncio
import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from benchmarks.load import cpu_seconds_of
from tests.support.drawn_photo import draw_photo
from tests.support.picture_server import PictureServer, serving_pictures

ROUNDS: Final = 5
CALLERS: Final = 2
REQUESTS: Final = 1_500
FACE: Final = "face of 256 px, from its master"
WHOLE: Final = "512 px, from 12 MP"
THERE: Final = "face that is there"
Figures = Callable[[str, float, str], None]
Asked = tuple[str, str]
"""An address, and the ETag of what the caller has."""


@dataclass(frozen=True)
class Cost:
    cpu_seconds: float
    """Of the server and its children, for one request."""
    p95_seconds: float
    """What all but one of twenty requests waited at most."""


@pytest.mark.parametrize("fmt", ["webp", "jpeg"])
async def test_faces_over_http(sqlite_template: Path, tmp_path: Path, fmt: str, figure: Figures) -> None:
    photo = tmp_path / "photo.jpg"
    draw_photo(4032, 3024).jpegsave(str(photo), Q=90)
    async with serving_pictures(sqlite_template, tmp_path / "installation") as serving:
        await a_round(serving, photo.read_bytes(), fmt=fmt)
        rounds = [await a_round(serving, photo.read_bytes() + bytes(at), fmt=fmt) for at in range(1, ROUNDS + 1)]
    for name in rounds[0]:
        costs = [each[name] for each in rounds]
        figure(f"{fmt}, {name}: CPU", statistics.median(cost.cpu_seconds for cost in costs) * 1000, "ms")
        figure(f"{fmt}, {name}: p95", statistics.median(cost.p95_seconds for cost in costs) * 1000, "ms")
    for cold in (FACE, WHOLE):
        ratios = [each[cold].cpu_seconds / each[THERE].cpu_seconds for each in rounds]
        figure(f"{fmt}, {cold}: by a face that is there", statistics.median(ratios), "× CPU")
    figure("load of the machine, of two cores", os.getloadavg()[0], "processes")


async def a_round(serving: PictureServer, photo: bytes, *, fmt: str) -> dict[str, Cost]:
    """Request every variant of a new provider, with a new photo."""
    owner = await serving.open_portrait_owner()
    picture = await owner.upload(photo)
    square = await owner.choose(picture)
    faces = [(f"{square}&w=256&q={quality}&fmt={fmt}", "") for quality in range(40, 100, 5)]
    wholes = [(f"{picture['url']}&w=512&q={quality}&fmt={fmt}", "") for quality in range(40, 100, 5)]
    costs = {
        FACE: await cost_of(serving, faces),
        WHOLE: await cost_of(serving, wholes),
        THERE: await cost_of(serving, again(faces)),
    }
    known = [(path, (await serving.client.head(path)).headers["etag"]) for path, _ in faces]
    return costs | {"face that the caller has (304)": await cost_of(serving, again(known))}


def again(asked: Sequence[Asked]) -> list[Asked]:
    return list(itertools.islice(itertools.cycle(asked), REQUESTS))


async def cost_of(serving: PictureServer, asked: Sequence[Asked]) -> Cost:
    process_ids = [serving.server.process_id, *serving.server.children()]
    left, waits, before = iter(asked), list[float](), sum(map(cpu_seconds_of, process_ids))
    await asyncio.gather(*(_call(serving.server.url, left, waits) for _ in range(CALLERS)))
    cpu_seconds = (sum(map(cpu_seconds_of, process_ids)) - before) / len(asked)
    return Cost(cpu_seconds, sorted(waits)[len(waits) * 95 // 100])


async def _call(url: str, left: Iterator[Asked], waits: list[float]) -> None:
    """Send requests over one connection without a client library, which would cost more than the server."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    for path, etag in left:
        started = time.perf_counter()
        known = f"If-None-Match: {etag}\r\n" if etag else ""
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{known}\r\n".encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        assert f"http/1.1 {304 if etag else 200}" in head, head
        if not etag:
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0]))
        waits.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()

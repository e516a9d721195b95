"""The cost of an avatar for a server when it is rendered, when it is stored and when the caller has it: CPU and waits.

Two callers send requests, each the next as soon as it is answered. A round makes pictures, and then requests them
again: its order is given. Waits are by the clock, so they depend on the machine.
"""

import asyncio
import itertools
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import pytest

from benchmarks.measuring import ROUNDS, Cost, Meter, Rounds
from benchmarks.results import Recorder
from tests.support.drawn_photo import draw_photo
from tests.support.picture_server import PictureServer, serving_pictures
from tests.support.proofs import Dose

SECTION: Final = "Pictures over HTTP"
CALLERS: Final = 2
REQUESTS: Final = Dose()(small=600, full=1_500)
FACE: Final = "an avatar of 256 px, made from its master"
WHOLE: Final = "512 px, made from 12 MP"
STORED: Final = "an avatar that is stored"
UNCHANGED: Final = "an avatar that the caller has (304)"
Asked = tuple[str, str]
"""An address, and the ETag of what the caller has."""
Waits = dict[str, float]
"""What all but one of twenty requests of a kind waited at most, in seconds."""


@pytest.mark.parametrize("fmt", ["webp", "jpeg"])
async def test_avatars_over_http(sqlite_template: Path, tmp_path: Path, fmt: str, record: Recorder) -> None:
    photo = tmp_path / "photo.jpg"
    draw_photo(4032, 3024).jpegsave(str(photo), Q=90)
    rounds = Rounds()
    async with serving_pictures(sqlite_template, tmp_path / "installation") as serving:
        await a_round(serving, photo.read_bytes(), Rounds(), fmt=fmt)
        waits = [await a_round(serving, photo.read_bytes() + bytes(at), rounds, fmt=fmt) for at in range(1, ROUNDS + 1)]
    for cold, most in ((FACE, 0.01), (WHOLE, None)):
        record.compare(
            SECTION,
            f"{STORED} ({fmt})",
            cold,
            rounds,
            unit="request",
            ours=STORED,
            theirs=cold,
            cpu_ratio_max=most,
        )
    record.compare(SECTION, f"{UNCHANGED}, {fmt}", STORED, rounds, unit="request", ours=UNCHANGED, theirs=STORED)
    for name in (FACE, STORED):
        record.note(SECTION, f"{name} ({fmt}): p95", statistics.median(each[name] for each in waits) * 1_000, "ms")


async def a_round(serving: PictureServer, photo: bytes, rounds: Rounds, *, fmt: str) -> Waits:
    """Request every variant of a new provider, with a new photo."""
    owner = await serving.open_portrait_owner()
    picture = await owner.upload(photo)
    square = await owner.choose(picture)
    faces = [(f"{square}&w=256&q={quality}&fmt={fmt}", "") for quality in range(40, 100, 5)]
    wholes = [(f"{picture['url']}&w=512&q={quality}&fmt={fmt}", "") for quality in range(40, 100, 5)]
    waits = {}
    for name, asked in ((FACE, faces), (WHOLE, wholes), (STORED, again(faces))):
        cost, waits[name] = await cost_of(serving, asked)
        rounds.add(name, cost)
    known = [(path, (await serving.client.head(path)).headers["etag"]) for path, _ in faces]
    cost, waits[UNCHANGED] = await cost_of(serving, again(known))
    rounds.add(UNCHANGED, cost)
    return waits


def again(asked: Sequence[Asked]) -> list[Asked]:
    return list(itertools.islice(itertools.cycle(asked), REQUESTS))


async def cost_of(serving: PictureServer, asked: Sequence[Asked]) -> tuple[Cost, float]:
    """Return what a request took of the server and its children, and what all but one of twenty waited at most."""
    left, waits, meter = iter(asked), list[float](), Meter(serving.server.process_id)
    await asyncio.gather(*(_call(serving.server.url, left, waits) for _ in range(CALLERS)))
    return meter.cost(units=len(asked)), sorted(waits)[len(waits) * 95 // 100]


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

"""Lists follow changes of providers: soon after a change, and none stays cached from before it."""

import asyncio
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from fairground.contracts.discovery import list_tag
from fairground.contracts.providers import ProvidersChanged
from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.modules.discovery.service.read_model import ReadModel
from fairground.ops.imports.formats import open_source
from fairground.platform.db.database import WriteTx
from tests.support.databases import copy_of, migrate
from tests.support.lists import lists_have_followed
from tests.support.market import open_market, open_market_in
from tests.support.processes import ROOT
from tests.support.proofs import IS_FULL, Dose
from tests.support.servers import Installation
from tests.support.waiting import LIMIT_SECONDS, until

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(1200 if IS_FULL else 180)]

LISTS: Final = "/api/v1/service-provider-profiles/"
MAP: Final = ROOT / "tests" / "ops" / "imports" / "oslo.toml"
Figures = Callable[[str, float, str], None]


async def test_list_shows_a_new_name_within_a_second(
    database_url: str, tmp_path: Path, dialect: str, dose: Dose, figure: Figures
) -> None:
    migrate(database_url)
    installation = Installation(database_url=database_url, data_dir=tmp_path / "data")
    market = await open_market(installation, customers=0)
    waits = []
    with installation.serving() as server:
        headers = {"authorization": f"Bearer {market.provider_token}"}
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            for number in range(dose(small=10, full=300)):
                name = f"Lesson {number}"
                url = f"{LISTS}{market.provider_id}"
                (await client.patch(url, json={"business_name": name}, headers=headers)).raise_for_status()
                assert (await client.get(url)).json()["business_name"] == name, "its own page shows it at once"
                waits.append(await _seconds_until_listed(client, name))
    waits.sort()
    figure(f"{dialect}: wait until a list shows a change, median", waits[len(waits) // 2], "s")
    figure(f"{dialect}: wait until a list shows a change, p99", waits[int(len(waits) * 0.99)], "s")
    if dose.is_full:
        assert waits[int(len(waits) * 0.99)] <= 1


async def _seconds_until_listed(client: httpx.AsyncClient, name: str) -> float:
    started = time.monotonic()
    while True:
        answer = await client.get(LISTS)
        if [card["business_name"] for card in answer.json()["data"]] == [name]:
            return time.monotonic() - started
        assert time.monotonic() < started + LIMIT_SECONDS
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # beside PostgreSQL nothing is cached without a Redis
async def test_import_under_readers_leaves_no_old_list_in_the_cache(
    database_url: str, real_data: Path, tmp_path: Path, dose: Dose, figure: Figures
) -> None:
    migrate(database_url)
    installation = Installation(database_url=database_url, data_dir=tmp_path / "data", FAIRGROUND_CURRENCY="NOK")
    listings, count = _listings(real_data, tmp_path, rows=dose(small=1_500, full=10_000))
    command = ("import", "providers", str(listings), "--vertical", "artists", "--map", str(MAP))
    with installation.serving() as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60) as client:
            importing = asyncio.create_task(asyncio.to_thread(installation.run, *command, seconds=600))
            totals = await _read_until(client, importing)
            ended, ended_at = importing.result(), time.monotonic()
            assert ended.exit_code == 0, ended.output

            async def shows_all() -> bool:
                totals.append((await client.get(LISTS)).json()["total"])
                return totals[-1] == count

            await until(shows_all)
            figure("wait of a list after the end of an import", time.monotonic() - ended_at, "s")
            figure("reads during the import", len(totals), "reads")
            kept = await _read_hits(client)
            assert installation.run("cache", "flush").exit_code == 0
            await _until_renewed(client)
            fresh = await _read_all(client)
    assert totals == sorted(totals), "no list is older than one before it"
    assert {url: body for url, (_, body) in kept.items()} == {url: body for url, (_, body) in fresh.items()}


def _listings(real_data: Path, folder: Path, *, rows: int) -> tuple[Path, int]:
    path = folder / "listings.csv"
    with (real_data / "oslo" / "listings.csv").open("rb") as file:
        source = open_source(path, file)
        records = [record.raw for record in islice(source.records, rows)]
        path.write_bytes(source.header + b"".join(records))
    return path, len(records)


async def _read_until(client: httpx.AsyncClient, task: asyncio.Task[Any]) -> list[int]:
    """Read lists until the task is done; return the totals of one of them, in order."""
    totals = []
    while not task.done():
        totals.append((await client.get(LISTS)).json()["total"])
        await _read_all(client)
    return totals


async def _read_all(client: httpx.AsyncClient) -> dict[str, tuple[str, Any]]:
    queries = ["", "?sort=newest", "?sort=price&page=3", "?vertical=artists&category=photographer", "?location=Frogner"]
    urls = [f"{LISTS}{query}" for query in queries]
    answers = [await client.get(url) for url in urls]
    return {url: (answer.headers["x-cache"], answer.json()) for url, answer in zip(urls, answers, strict=True)}


async def _read_hits(client: httpx.AsyncClient) -> dict[str, tuple[str, Any]]:
    """Return the lists once all of them come from the cache: the last events of an import may still invalidate some."""
    found: dict[str, tuple[str, Any]] = {}

    async def are_hits() -> bool:
        found.update(await _read_all(client))
        return {how for how, _ in found.values()} == {"HIT"}

    await until(are_hits)
    return found


async def _until_renewed(client: httpx.AsyncClient) -> None:
    async def is_computed() -> bool:
        return (await client.get(LISTS)).headers["x-cache"] == "MISS"

    await until(is_computed)


@pytest.mark.parametrize("is_one_transaction", [True, False], ids=["one transaction", "control: tags first"])
async def test_list_read_between_tags_and_rows_is_computed_again(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_one_transaction: bool
) -> None:
    """The reader comes at the one moment that matters: after the invalidation of the control, before the rows."""
    handle, readers = ReadModel.on_providers_changed, list[httpx.AsyncClient]()

    async def read_and_handle(model: ReadModel, event: ProvidersChanged) -> None:
        if not is_one_transaction:
            async with model._db.write() as tx:
                tx.invalidate(list_tag(None), list_tag("tutors"))
        for reader in readers:
            await reader.get(LISTS)
        with monkeypatch.context() as patch:
            if not is_one_transaction:
                patch.setattr(WriteTx, "invalidate", lambda *_arguments: None)
            await handle(model, event)

    monkeypatch.setattr(ReadModel, "on_providers_changed", read_and_handle)
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path / "data"))
    transport = httpx.ASGITransport(program.build_app())
    async with program.running(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        market = await open_market_in(program, customers=0)
        await lists_have_followed(program)
        await client.get(LISTS)
        readers.append(client)
        headers = {"authorization": f"Bearer {market.provider_token}"}
        url = f"/api/v1/service-provider-profiles/{market.provider_id}"
        (await client.patch(url, json={"business_name": "New name"}, headers=headers)).raise_for_status()
        await lists_have_followed(program)
        names = [card["business_name"] for card in (await client.get(LISTS)).json()["data"]]
    assert (names == ["New name"]) == is_one_transaction

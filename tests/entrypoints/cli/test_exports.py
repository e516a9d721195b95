"""An export and its import make the same lists and services again, and nothing is left out in silence."""

import json
import logging
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
import httpx
import pytest
import uvloop
from sqlalchemy import text

from fairground.contracts.providers import ExternalProviders, Providers, ProviderStatus
from fairground.entrypoints.compose import compose
from fairground.entrypoints.settings import Settings
from fairground.ops.demo.plan_builder import build_plan
from fairground.platform.db.dialect import open_backend
from fairground.platform.images.formats import decode_data_url
from fairground.platform.logs import configure_logs
from fairground.verticals.loader import load_verticals
from tests.entrypoints.cli.conftest import CommandLine
from tests.support.demo import build_demo, opened
from tests.support.embedded import ROWS, a_photo, bring_in
from tests.support.portrait_owners import open_portrait_owner

PATH: Final = "/api/v1/service-provider-profiles"
NOT_TAKEN: Final = {"id", "profile_picture_url", "rating", "rating_count", "book_count", "is_claimed"}
EXPORT: Final = ("export", "providers")
IMPORT: Final = ("import", "providers")


def shown(url: str, folder: Path) -> tuple[list[Any], list[Any]]:
    """Return lists and details of all approved providers as the API shows them, without what no import takes."""

    async def ask() -> tuple[list[Any], list[Any]]:
        async with opened(url, folder) as program:
            transport = httpx.ASGITransport(app=program.build_app())
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                lists = [
                    _sorted(
                        (await client.get(f"{PATH}/", params={"limit": 100, "sort": "price", **query})).json()["data"]
                    )
                    for query in ({}, {"vertical": "artists"}, {"vertical": "chefs"}, {"vertical": "tutors"})
                ]
                details = [(await client.get(f"{PATH}/{card['slug']}")).json() for card in lists[0]]
        return [[_kept(card) for card in cards] for cards in lists], [_kept(detail) for detail in details]

    return uvloop.run(ask())


def _sorted(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order providers of the same price by their slugs: lists order them by ids, which an import makes again."""
    return sorted(cards, key=lambda card: (card["price_from_minor"], card["slug"]))


def _kept(card: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in card.items() if name not in NOT_TAKEN}
    for service in kept.get("services", []):
        del service["id"], service["provider_id"]
    return kept


def pause_a_service(url: str, folder: Path) -> None:
    """Pause the first service of a provider that has several."""

    async def pause() -> None:
        async with opened(url, folder) as program:
            providers = program.links.of(Providers)
            for exported in await program.links.of(ExternalProviders).list_exported_after(after=None, limit=100):
                if exported.status is ProviderStatus.APPROVED and len(exported.provider.services) > 1:
                    ref = await providers.get_provider_ref(provider_id=exported.id)
                    assert ref.owner_id is not None
                    [first, *_] = await providers.list_services(provider_id=ref.id, viewer_id=ref.owner_id)
                    await providers.pause_service(owner_id=ref.owner_id, provider_id=ref.id, service_id=first.id)
                    return

    uvloop.run(pause())


def execute(url: str, statement: str) -> None:
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def demo(cli: CommandLine, migrated_url: str) -> CommandLine:
    """Run commands on an installation with a demo of twenty providers, some of which are not approved."""
    configure_logs(level=logging.WARNING)

    async def build() -> None:
        async with opened(migrated_url, cli.folder / "var") as program:
            plan = build_plan(seed=1, verticals=load_verticals(), provider_count=60)
            await build_demo(program, plan.model_copy(update={"providers": plan.providers[-20:]}))

    uvloop.run(build())
    cli.set(DATABASE_URL=migrated_url)
    return cli


@pytest.fixture
def imported(installed: CommandLine, migrated_url: str) -> CommandLine:
    """Run commands on an installation with five imported providers, whose pictures wait."""

    async def bring() -> None:
        async with opened(migrated_url, installed.folder / "var") as program:
            await bring_in(program, ROWS, folder=installed.folder)

    uvloop.run(bring())
    return installed


def test_import_of_an_export_makes_the_same_lists_and_services(
    demo: CommandLine, migrated_url: str, database_url: str
) -> None:
    pause_a_service(migrated_url, demo.folder / "var")
    assert demo("search", "reindex").code == 0
    (demo.folder / "new").mkdir()
    other = database_url.replace("fairground.db", "new/fairground.db")
    exported = demo(*EXPORT, "providers.jsonl")
    assert exported.code == 0, exported
    lists, details = shown(migrated_url, demo.folder / "var")
    services = sum(len(detail["services"]) for detail in details)
    assert len(lists[0]) > 10
    assert all(lists)
    assert services > len(lists[0])
    assert exported.out.startswith(f"Wrote {len(lists[0])} providers with {services + 1} services and 0 pictures to ")
    terms = [service for detail in details for service in detail["services"]]
    assert {service["price_model"] for service in terms} == {"booking", "person", "hour"}
    assert {place for service in terms for place in service["places"]} == {"customer", "provider", "online"}
    assert any(service["max_duration_minutes"] for service in terms)
    assert any(service["min_people"] > 1 and service["travel_radius_km"] for service in terms)
    demo.set(DATABASE_URL=other)
    assert demo("db", "upgrade").code == 0
    imported = demo(*IMPORT, "providers.jsonl")
    assert imported.out.startswith(f"read {len(lists[0])} = created {len(lists[0])} + updated 0 + unchanged 0")
    assert demo("search", "reindex").code == 0
    assert shown(other, demo.folder / "var") == (lists, details)
    assert demo(*IMPORT, "providers.jsonl").out.startswith(
        f"read {len(lists[0])} = created 0 + updated 0 + unchanged {len(lists[0])}"
    )
    assert demo(*EXPORT, "again.jsonl").code == 0
    assert _rows(demo.folder / "again.jsonl") == _rows(demo.folder / "providers.jsonl")


def _rows(file: Path) -> list[str]:
    return sorted(file.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # the file and its sentences, not its SQL
def test_export_names_what_it_leaves_out_and_why(demo: CommandLine) -> None:
    left_out = demo(*EXPORT, "providers.jsonl").out.splitlines()[1]
    assert re.match(r"Left out: .*\d+ (draft|submitted|rejected) providers, because an import publishes", left_out)
    assert "portraits that are no uploaded pictures; " in left_out
    assert left_out.endswith("accounts, contact data, hours, bookings, payments and reviews, which no import takes.")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # the file and its sentences, not its SQL
def test_provider_that_an_import_would_reject_is_named_and_the_others_are_written(
    imported: CommandLine, migrated_url: str
) -> None:
    execute(
        migrated_url,
        "UPDATE providers_provider_category SET category = 'lamplighter' WHERE provider_id ="
        " (SELECT id FROM providers_provider WHERE slug = 'bob')",
    )
    outcome = imported(*EXPORT, "some.jsonl")
    assert outcome.code == 1
    assert outcome.err.startswith("bob, categories: 'lamplighter' is no category; write one of ")
    assert "1 providers that an import would reject, named above" in outcome.out
    assert len(_rows(imported.folder / "some.jsonl")) == len(ROWS) - 1


def test_waiting_pictures_and_external_ids_of_an_earlier_import_come_along(
    imported: CommandLine,
) -> None:
    outcome = imported(*EXPORT, "providers.jsonl")
    assert outcome.out.startswith("Wrote 5 providers with 5 services and 7 pictures to providers.jsonl.")
    rows = {row["external_id"]: row for row in map(json.loads, _rows(imported.folder / "providers.jsonl"))}
    assert {row["source"] for row in rows.values()} == {"old-system"}
    assert {name: len(rows["ann"][name]) for name in ("portfolio_pictures", "service_pictures")} == {
        "portfolio_pictures": 2,
        "service_pictures": 1,
    }
    assert "profile_picture" not in rows["eve"]
    # The same pictures again are the same rows: nothing waits twice.
    again = imported(*IMPORT, "providers.jsonl")
    assert again.out.startswith("read 5 = created 0 + updated 5 + unchanged 0 + rejected 0")
    assert "pictures wait" not in again.out


async def test_uploaded_pictures_are_exported_beside_a_running_server(
    installed: CommandLine, migrated_url: str
) -> None:
    photos = [a_photo(width) for width in (600, 640)]
    program = compose(Settings(database_url=migrated_url, data_dir=installed.folder / "var"))
    transport = httpx.ASGITransport(app=program.build_app())
    async with program.running(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        owner = await open_portrait_owner(program, client)
        portrait, picture = [await owner.upload(photo) for photo in photos]
        await owner.choose(portrait)
        await owner.place(picture)
        done = await anyio.to_thread.run_sync(_run, installed, *EXPORT, "providers.jsonl")
    await program.db.close()
    assert done.stdout.decode().startswith("Wrote 1 providers with 0 services and 2 pictures to "), done
    (row,) = map(json.loads, _rows(installed.folder / "providers.jsonl"))
    assert [decode_data_url(row[name][0]) for name in ("profile_picture", "portfolio_pictures")] == photos


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # the file and its sentences, not its SQL
def test_export_to_standard_output_is_the_file_and_its_summary_goes_elsewhere(imported: CommandLine) -> None:
    imported(*EXPORT, "providers.jsonl")
    piped = _run(imported, *EXPORT, "-", stdout=subprocess.PIPE)
    assert piped.returncode == 0, piped.stderr
    assert piped.stdout == (imported.folder / "providers.jsonl").read_bytes()
    assert piped.stderr.decode().startswith("Wrote ")


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # the file and its sentences, not its SQL
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("kept.jsonl", "kept.jsonl is there already. Name a file that is not, so that no export is lost."),
        ("nowhere/a.jsonl", "The folder nowhere is not there. Create it, or name another one."),
        ("providers.csv", "providers.csv ends in '.csv'; name it .jsonl, by which an import recognises its form."),
        ("/proc/a.jsonl", "/proc/a.jsonl cannot be written: "),
    ],
)
def test_file_that_cannot_be_written_is_refused(installed: CommandLine, file: str, said: str) -> None:
    (installed.folder / "kept.jsonl").write_text("mine")
    assert installed(*EXPORT, file).refusal.startswith(said)
    assert (installed.folder / "kept.jsonl").read_text() == "mine"
    assert not list(installed.folder.glob("*.partial"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)  # the file and its sentences, not its SQL
def test_full_disk_is_one_sentence_and_leaves_no_file(imported: CommandLine) -> None:
    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    full = _run(imported, *EXPORT, "providers.jsonl", limit=fill)
    assert full.returncode == 2
    assert full.stderr.decode().startswith("fairground: providers.jsonl cannot be written: File too large. ")
    assert full.stderr.count(b"\n") == 1
    assert not list(imported.folder.glob("providers*"))
    with Path("/dev/full").open("wb") as device:
        piped = _run(imported, *EXPORT, "-", stdout=device.fileno())
    assert piped.returncode == 2
    assert piped.stderr.decode().startswith("fairground: Standard output cannot be written: No space left on device. ")
    assert piped.stderr.count(b"\n") == 1


def _run(
    command_line: CommandLine, *arguments: str, stdout: int = subprocess.PIPE, limit: Callable[[], None] | None = None
) -> subprocess.CompletedProcess[bytes]:
    program = "from fairground.entrypoints.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=command_line.folder,
        env=dict(os.environ),
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=limit,
        check=False,
    )

"""What the documentation says is so: its examples run, its links lead somewhere, its names exist."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from httpx import ASGITransport, AsyncClient

from benchmarks.results import read_run
from fairground.contracts.imports import Imports
from fairground.contracts.providers import Providers
from fairground.entrypoints.compose import compose
from fairground.entrypoints.environment import RETIRED, list_settings
from fairground.entrypoints.settings import Risk, Settings
from fairground.ops.demo.plan_builder import build_plan
from fairground.ops.demo.plan_writer import ADMIN_EMAIL, PASSWORD
from fairground.ops.imports.mapping import load_map
from fairground.ops.imports.records import Record, RowFault
from fairground.ops.imports.run import Import, Summary
from fairground.platform.http.app import list_routes
from fairground.sandbox.stripe.cards import CARDS
from fairground.verticals.loader import load_verticals
from tests.support.databases import copy_of
from tools.benchmarks_page import render_page

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_OF_THE_TESTS: Final = ("FAIRGROUND_TEST_", "FAIRGROUND_PROOF_")


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def block(name: str, language: str) -> str:
    return page(name).split(f"```{language}\n")[1].split("```")[0]


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_to_an_existing_file(file: Path) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", file.read_text(encoding="utf-8"))
    assert [link for link in links if not (file.parent / link).exists()] == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_named_setting_exists(file: Path) -> None:
    named = set(re.findall(r"FAIRGROUND_[A-Z_]+[A-Z]", file.read_text(encoding="utf-8")))
    known = {entry.name for entry in list_settings()} | RETIRED
    assert {name for name in named - known if not name.startswith(_OF_THE_TESTS)} == set()


def test_benchmarks_are_those_of_the_file_that_the_page_names() -> None:
    text = page("benchmarks.md")
    named = re.search(r"`(benchmarks/results/[^`]+\.json)`", text)
    assert named is not None, "docs/benchmarks.md names no file; run `make benchmarks-page`."
    assert text == render_page(read_run(ROOT / named[1]), source=named[1]), "Run `make benchmarks-page`."


def test_the_glossary_names_existing_files() -> None:
    tables = page("glossary.md").split("## Words that are not used")[0]
    for row in re.findall(r"^\|.*\|.*\|.*\|$", tables, re.MULTILINE):
        folders = [ROOT / "src/fairground"]
        for path in re.findall(r"`([^`]+)`", row.split("|")[3]):
            found = [folder / path for folder in folders if (folder / path).exists()]
            assert found, f"{path} does not exist: {row}"
            folders.append(found[-1].parent)


def test_the_guide_names_every_risk_and_every_test_card() -> None:
    assert set(re.findall(r"^\| `([a-z-]+)` \|", page("guides/run-it.md"), re.MULTILINE)) == {*Risk}
    assert set(re.findall(r"`(pm_[A-Za-z0-9_]+\w)`", page("guides/payments.md"))) - {"pm_card_"} == set(CARDS)


@pytest.mark.parametrize(("guide", "least"), [("pictures", 12), ("messages", 4)])
def test_guide_names_existing_routes(guide: str, least: int, tmp_path: Path) -> None:
    program = compose(Settings(data_dir=tmp_path), is_secondary=True)
    there = {f"{method} {path}" for path, methods in list_routes(program.api, program.pages) for method in methods}
    named = set(re.findall(r"`([A-Z]+ /api/v1/[^`]+)`", page(f"guides/{guide}.md")))
    assert len(named) >= least
    assert named - there == set()


def test_readme_names_accounts_of_the_demo() -> None:

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    plan = build_plan(seed=1, verticals=load_verticals())
    people = {customer.email for customer in plan.customers} | {provider.email for provider in plan.providers}
    assert PASSWORD in readme
    assert set(re.findall(r"[\w-]+@example\.org", readme)) <= people | {ADMIN_EMAIL}


async def test_the_pack_of_the_guide_is_a_vertical_without_python(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "gardeners.toml").write_text(block("guides/write-a-vertical.md", "toml"), encoding="utf-8")
    settings = Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path, verticals_dir=tmp_path)
    program = compose(settings, is_secondary=True)
    async with AsyncClient(transport=ASGITransport(program.build_app()), base_url="http://127.0.0.1:8000") as client:
        shown = await client.get("/c/gardeners")
        crafts = await client.get("/api/v1/crafts")
        cards = await client.get("/api/v1/gardeners")
    await program.db.close()
    assert "A gardener who knows when to cut the roses" in shown.text
    assert [craft["slug"] for craft in crafts.json()["data"]] == ["pruning", "lawns", "planting"]
    assert cards.json()["total"] == 0


class RecordedFaults:
    def __init__(self) -> None:
        self.faults: list[str] = []

    def rejected(self, record: Record, fault: RowFault) -> None:
        self.faults.append(f"line {record.line}, {fault.column}: {fault.reason}")

    def progressed(self, summary: Summary, *, read_bytes: int) -> None: ...


async def test_the_list_of_the_guide_is_imported_as_it_says(sqlite_template: Path, tmp_path: Path) -> None:
    (tmp_path / "studios.csv").write_text(block("guides/import.md", "csv"), encoding="utf-8")
    (tmp_path / "studios.toml").write_text(block("guides/import.md", "toml"), encoding="utf-8")
    program = compose(Settings(database_url=copy_of(sqlite_template, tmp_path), data_dir=tmp_path), is_secondary=True)
    artists = program.verticals.find("artists")
    assert artists is not None
    heard, catalog, imports = RecordedFaults(), program.links.of(Providers), program.links.of(Imports)
    provider_map = load_map(tmp_path / "studios.toml")
    summary = await Import(tmp_path / "studios.csv", artists, provider_map, catalog, imports, heard).run()
    await program.db.close()
    assert (summary.read, summary.created, summary.rejected) == (3, 2, 1)
    assert heard.faults == ["line 4, kind: 'Rehearsal' is not a category"]
    assert heard.faults[0] in page("guides/import.md")
    assert "musician" in {entry["slug"] for entry in tomllib.loads(_artists())["categories"]}


def _artists() -> str:
    return (ROOT / "src" / "fairground" / "verticals" / "artists.toml").read_text(encoding="utf-8")

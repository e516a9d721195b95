"""An import on the real catalog: every row accounted for, on both databases, however often it is run."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fairground.contracts.providers import ProvidersImported
from fairground.ops.imports.mapping import ProviderMap, load_map
from fairground.ops.imports.records import ImportRefused, Record, RowFault, describe
from fairground.ops.imports.run import Import, Summary
from fairground.platform.db.database import Database
from fairground.verticals.loader import load_verticals
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import People, SteppingClock

VERTICALS = load_verticals()
ARTISTS = next(pack for pack in VERTICALS if pack.key == "artists")
HEADER = "id,name,place,lat,lng,zone,kind,price,minutes,mode,about,act\n"
GOOD = "{id},Act {id},Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,Plays.,Evening set\n"
FIELDS = {
    "external_id": {"column": "id"},
    "business_name": {"column": "name"},
    "location": {"column": "place"},
    "lat": {"column": "lat"},
    "lng": {"column": "lng"},
    "timezone": {"column": "zone"},
    "categories": {"column": "kind"},
    "price": {"column": "price"},
    "duration_minutes": {"column": "minutes"},
    "booking_mode": {"column": "mode"},
    "bio": {"column": "about"},
    "service_name": {"column": "act"},
}
BROKEN = [
    (",No id,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "id"),
    ("a,,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "name"),
    ("b,No place,,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "place"),
    ("c,North,Oslo,99,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "lat"),
    ("d,Half,Oslo,59.9,,Europe/Oslo,pianist,450,60,request,x,\n", "lng"),
    ("e,Nan,Oslo,nan,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "lat"),
    ("f,Mars,Oslo,59.9,10.7,Mars/Base,pianist,450,60,request,x,\n", "zone"),
    ("g,Kindless,Oslo,59.9,10.7,Europe/Oslo,,450,60,request,x,\n", "kind"),
    ("h,Plumber,Oslo,59.9,10.7,Europe/Oslo,plumber,450,60,request,x,\n", "kind"),
    ("i,Words,Oslo,59.9,10.7,Europe/Oslo,pianist,a lot,60,request,x,\n", "price"),
    ("j,Minus,Oslo,59.9,10.7,Europe/Oslo,pianist,-1,60,request,x,\n", "price"),
    ("k,Free,Oslo,59.9,10.7,Europe/Oslo,pianist,0,60,request,x,\n", "price"),
    ("l,Rich,Oslo,59.9,10.7,Europe/Oslo,pianist,1e12,60,request,x,\n", "price"),
    ("m,Long,Oslo,59.9,10.7,Europe/Oslo,pianist,450,9999,request,x,\n", "minutes"),
    ("n,Part,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60.5,request,x,\n", "minutes"),
    ("o,Maybe,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,maybe,x,\n", "mode"),
    (f"p,{'x' * 200},Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "name"),
    ("q,Bell\x07,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "name"),
    ("r,Few,Oslo\n", ""),
    ("s,Many,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,y,z\n", ""),
    (f"t,Chatty,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,{'x' * 7000},\n", "about"),
    (f"v,Act,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,{'y' * 121}\n", "act"),
    (f"{'u' * 201},Id,Oslo,59.9,10.7,Europe/Oslo,pianist,450,60,request,x,\n", "id"),
]


@dataclass
class Heard:
    faults: list[tuple[Record, RowFault]] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)

    def rejected(self, record: Record, fault: RowFault) -> None:
        self.faults.append((record, fault))

    def progressed(self, summary: Summary, *, read_bytes: int) -> None:  # noqa: ARG002
        self.reads.append(summary.read)


@pytest.fixture
def catalog(db: Database) -> Directory:
    return Directory(
        db=db,
        people=People(),
        verticals=VERTICALS,
        clock=SteppingClock(),
    )


def an_import(
    catalog: Directory, path: Path, *, heard: Heard | None = None, provider_map: ProviderMap | None = None
) -> Import:
    own = ProviderMap.model_validate({"source": "acts", "currency": "EUR", "fields": FIELDS})
    return Import(path, ARTISTS, provider_map or own, catalog, catalog, heard or Heard())


def a_file(folder: Path, *rows: str, name: str = "acts.csv") -> Path:
    path = folder / name
    path.write_text(HEADER + "".join(rows), encoding="utf-8")
    return path


def figures(summary: Summary) -> tuple[int, int, int, int, int]:
    assert summary.adds_up
    return summary.read, summary.created, summary.updated, summary.unchanged, summary.rejected


async def test_repeated_import_updates_changed_rows_only(
    catalog: Directory, tmp_path: Path, outbox: RecordingOutbox
) -> None:
    rows = [GOOD.format(id=number) for number in range(3)]
    assert figures(await an_import(catalog, a_file(tmp_path, *rows)).run()) == (3, 3, 0, 0, 0)
    assert figures(await an_import(catalog, a_file(tmp_path, *rows)).run()) == (3, 0, 0, 3, 0)
    changed = a_file(tmp_path, rows[0], rows[1].replace("450", "500"))
    assert figures(await an_import(catalog, changed).run()) == (2, 0, 1, 1, 0)
    sizes = [len(event.provider_ids) for event in outbox.events if isinstance(event, ProvidersImported)]
    assert sizes == [3, 1]


async def test_rows_are_written_in_steps_of_five_hundred(
    catalog: Directory, tmp_path: Path, outbox: RecordingOutbox
) -> None:
    heard = Heard()
    rows = [GOOD.format(id=number) for number in range(1_001)]
    assert figures(await an_import(catalog, a_file(tmp_path, *rows), heard=heard).run())[1] == 1_001
    assert heard.reads == [500, 1000, 1001]
    assert [len(event.provider_ids) for event in outbox.events if isinstance(event, ProvidersImported)] == [500, 500, 1]


async def test_every_kind_of_broken_row_is_named_and_the_good_ones_are_taken(
    catalog: Directory, tmp_path: Path
) -> None:
    heard = Heard()
    rows = [row for number, (broken, _) in enumerate(BROKEN) for row in (GOOD.format(id=number), broken)]
    summary = await an_import(catalog, a_file(tmp_path, *rows), heard=heard).run()
    named = [(record.line, fault.column) for record, fault in heard.faults]
    assert named == [(2 * number + 3, column) for number, (_, column) in enumerate(BROKEN)]
    assert figures(summary) == (2 * len(BROKEN), len(BROKEN), 0, 0, len(BROKEN))
    assert all(fault.reason and fault.hint for _, fault in heard.faults)


async def test_the_reject_file_holds_the_rows_as_they_were_and_can_be_fed_back(
    catalog: Directory, tmp_path: Path
) -> None:
    good, bad = GOOD.format(id=1), 'b,"Two\nlines",Oslo,59.9,10.7,Europe/Oslo,pianist,much,60,request,x,\n'
    summary = await an_import(catalog, a_file(tmp_path, good, bad)).run()
    assert summary.reject_file == tmp_path / "acts.rejected.csv"
    assert summary.reject_file.read_text() == HEADER + bad
    summary.reject_file.write_text(summary.reject_file.read_text().replace("much", "90"))
    assert figures(await an_import(catalog, summary.reject_file).run()) == (1, 1, 0, 0, 0)


@pytest.mark.parametrize("name", ["acts.json", "acts.jsonl"])
async def test_rejected_objects_make_a_file_of_the_same_form(catalog: Directory, tmp_path: Path, name: str) -> None:
    names = HEADER.strip().split(",")
    objects = [dict(zip(names, GOOD.format(id=number).strip().split(","), strict=True)) for number in range(4)]
    for bad in objects[1:3]:
        bad["price"] = "much"
    path = tmp_path / name
    form = json.dumps(objects, indent=1) if name.endswith("json") else "\n".join(map(json.dumps, objects))
    path.write_text(form)
    summary = await an_import(catalog, path).run()
    assert figures(summary) == (4, 2, 0, 0, 2)
    assert summary.reject_file is not None
    again = summary.reject_file
    again.write_text(again.read_text().replace("much", "90"))
    assert figures(await an_import(catalog, again).run()) == (2, 2, 0, 0, 0)


async def test_a_file_that_breaks_off_is_refused_and_the_steps_before_that_are_kept(
    catalog: Directory, tmp_path: Path, outbox: RecordingOutbox
) -> None:
    names = HEADER.strip().split(",")
    objects = [dict(zip(names, GOOD.format(id=number).strip().split(","), strict=True)) for number in range(600)]
    path = tmp_path / "acts.json"
    path.write_text(json.dumps(objects)[:-2])
    with pytest.raises(ImportRefused, match="the end of the file"):
        await an_import(catalog, path).run()
    assert [len(event.provider_ids) for event in outbox.events if isinstance(event, ProvidersImported)] == [500]


async def test_a_rehearsal_says_what_would_be_refused_and_writes_nothing(
    catalog: Directory, tmp_path: Path, outbox: RecordingOutbox
) -> None:
    path = a_file(tmp_path, GOOD.format(id=1), BROKEN[0][0])
    assert figures(await an_import(catalog, path).rehearse()) == (2, 1, 0, 0, 1)
    assert outbox.events == []
    assert figures(await an_import(catalog, path).run()) == (2, 1, 0, 0, 1)


async def test_an_external_id_stands_in_a_file_once(catalog: Directory, tmp_path: Path) -> None:
    heard = Heard()
    path = a_file(tmp_path, GOOD.format(id=1), GOOD.format(id=2), GOOD.format(id=1))
    assert figures(await an_import(catalog, path, heard=heard).run()) == (3, 2, 0, 0, 1)
    assert describe(*heard.faults[0]) == "line 4, id: '1' is already on line 2; keep one of the two."


async def test_a_map_in_another_currency_is_refused_before_anything_is_read(catalog: Directory, tmp_path: Path) -> None:
    in_nok = ProviderMap.model_validate({"source": "acts", "currency": "NOK", "fields": FIELDS})
    with pytest.raises(ImportRefused, match="this installation uses EUR"):
        await an_import(catalog, tmp_path / "none.csv", provider_map=in_nok).run()


async def test_the_example_of_the_reference_is_a_map(catalog: Directory, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "import-map.md").read_text(encoding="utf-8")
    (tmp_path / "MAP.toml").write_text(page.split("```toml\n")[1].split("```")[0])
    example = load_map(tmp_path / "MAP.toml")
    assert set(example.fields.rules()) == set(type(example.fields).model_fields), "the example shows every field"
    row: dict[str, Any] = {
        "id": 7,
        "kind": "Photo studio",
        "host": "Ida",
        "about": "North light.",
        "district": "Frogner",
        "latitude": 59.9,
        "longitude": 10.7,
        "zone": "",
        "price": "1250.50",
        "name": "Loft 7",
    }
    path = tmp_path / "studios.jsonl"
    path.write_text(json.dumps(row))
    assert figures(await an_import(catalog, path, provider_map=example).run()) == (1, 1, 0, 0, 0)

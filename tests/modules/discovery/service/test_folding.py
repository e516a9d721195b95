"""What search finds whatever way a word is written, and how documents of an older release are renewed."""

# ruff: noqa: RUF001 - letters and apostrophes that look alike are what is tested

import pytest
from sqlalchemy import delete, insert, select, update

from fairground.contracts.discovery import ProviderQuery, SearchQuery
from fairground.contracts.imports import ImportedProvider
from fairground.modules.discovery.tables import ListEntryRow, LocationPhraseRow, NamePhraseRow, SearchDocumentRow
from fairground.modules.providers.tables import ProviderRow
from fairground.platform.db.database import Database
from tests.support.directory import Directory

NAMES = (
    "O'Brien",
    "L'Atelier Musical",
    "Dell’Arte Quartet",
    "Bœuf Bourgogne",
    "Usta Dönərçi",
    "Guðmundur Þórsson",
    "علی\u200cرضا",
    "राम",
    "रीमा",
    "Rock 🎸 Gårdsplass",
)


def a_row(name: str, **changes: object) -> ImportedProvider:
    usual: dict[str, object] = {"location": "Oslo", "timezone": "Europe/Oslo", "categories": ["thai"]}
    return ImportedProvider(external_id=name, business_name=name, **(usual | changes))  # type: ignore[arg-type]


async def found_by(catalog: Directory, q: str) -> list[str]:
    return [card.business_name for card in (await catalog.search(query=SearchQuery(q=q))).data]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("o'brien", "O'Brien"),
        ("o‘brien", "O'Brien"),
        ("o´brien", "O'Brien"),
        ("o brien", "O'Brien"),
        ("obrien", "O'Brien"),
        ("brien", "O'Brien"),
        ("atelier musical", "L'Atelier Musical"),
        ("l'atelier musical", "L'Atelier Musical"),
        ("arte quartet", "Dell’Arte Quartet"),
        ("boeuf", "Bœuf Bourgogne"),
        ("bœuf", "Bœuf Bourgogne"),
        ("usta doner", "Usta Dönərçi"),
        ("thorsson", "Guðmundur Þórsson"),
        ("gudmundur", "Guðmundur Þórsson"),
        ("علیرضا", "علی\u200cرضا"),
        ("رضا", "علی\u200cرضا"),
        ("राम", "राम"),
        ("रीमा", "रीमा"),
        ("🎸", "Rock 🎸 Gårdsplass"),
        ("🎷 boeuf", "Bœuf Bourgogne"),
    ],
)
async def test_a_word_is_found_in_every_way_of_writing_it(catalog: Directory, typed: str, name: str) -> None:
    await catalog.import_providers(vertical="chefs", source="test", providers=[a_row(each) for each in NAMES])
    assert await found_by(catalog, typed) == [name]


async def test_a_whole_name_with_an_apostrophe_comes_before_a_longer_one(catalog: Directory) -> None:
    rows = [a_row("L'Atelier Musical de Paris"), a_row("L'Atelier Musical")]
    await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    assert (await found_by(catalog, "L’atelier musical"))[0] == "L'Atelier Musical"


async def test_a_word_in_a_text_comes_before_a_name_that_is_spelled_like_it(catalog: Directory) -> None:
    rows = [a_row("Soyuq Kafe"), a_row("Merkez", custom_subtitle="Qrildə toyuq")]
    await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    assert (await found_by(catalog, "toyuq"))[0] == "Merkez"


@pytest.mark.parametrize(
    ("location", "total"),
    [
        ("ome", 1),
        ("Rome", 1),
        ("r o m e", 1),
        ("rdal", 1),
        ("lærdal", 1),
        ("oslo", 1),
        ("o", 3),
        ("romeo", 0),
        ("sl", 1),
    ],
)
async def test_any_part_of_a_location_is_found(catalog: Directory, location: str, total: int) -> None:
    rows = [a_row("a", location="Rome, Italy"), a_row("b", location="Oslo"), a_row("c", location="Lærdalsøyri")]
    await catalog.import_providers(vertical="chefs", source="test", providers=rows)
    assert (await catalog.search_providers(query=ProviderQuery(location=location))).total == total


async def test_reindex_renews_what_an_older_rule_folded(catalog: Directory, db: Database) -> None:
    await catalog.import_providers(vertical="chefs", source="test", providers=[a_row("Bœuf d’Or", location="Şəki")])
    await catalog.follow_changes()
    async with db.write() as tx:
        await tx.execute(update(ListEntryRow).values(folded_location="səki"))
        await tx.execute(update(SearchDocumentRow).values(name="bœuf dor", place="səki", words="nbœuf ndor psəki"))
        [provider_id] = await tx.scalars(select(ProviderRow.id))
        await tx.execute(delete(NamePhraseRow))
        await tx.execute(insert(NamePhraseRow).values(phrase="bœuf dor", provider_id=provider_id))
        await tx.execute(delete(LocationPhraseRow))
        await tx.execute(insert(LocationPhraseRow).values(phrase="səki", folded_location="səki"))
    assert await found_by(catalog, "boeuf") == []
    assert await _total(catalog, location="seki") == await _total(catalog, q="boeuf") == 0
    step = await catalog.rebuild(after=None)
    assert step is not None
    assert await found_by(catalog, "boeuf or") == await found_by(catalog, "seki") == ["Bœuf d’Or"]
    assert await _total(catalog, location="seki") == await _total(catalog, q="boeuf") == 1
    async with db.read() as tx:
        assert set(await tx.scalars(select(ListEntryRow.folded_location))) == {"seki"}


async def _total(catalog: Directory, **wanted: str) -> int:
    return (await catalog.search_providers(query=ProviderQuery(**wanted))).total  # type: ignore[arg-type]

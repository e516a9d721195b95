"""A reindex that is killed and repeated ends with the index that the changes had kept up to date."""

from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import delete, select, update

from fairground.contracts.imports import ImportedProvider, Imports
from fairground.modules.discovery.tables import SearchDocumentRow, SearchSpellingRow
from fairground.platform.db.database import Database
from tests.support.market import visiting
from tests.support.server_process import FailPoint
from tests.support.servers import Installation

pytestmark = pytest.mark.anyio

_READ_MODEL: Final = "fairground.modules.discovery.service.read_model"
DEATHS: Final = (
    FailPoint("the second step is begun", _READ_MODEL, "_describe", "before", nth=2),
    FailPoint("the second step is read, not written", _READ_MODEL, "_describe", "after", nth=2),
    FailPoint("the second step is written, not committed", _READ_MODEL, "ReadModel._write", "after", nth=2),
)
PROVIDERS: Final = 700  # more than one step


async def test_it_ends_equal_after_any_death(migrated_url: str, tmp_path: Path) -> None:
    installation = Installation(database_url=migrated_url, data_dir=tmp_path / "data")
    async with visiting(installation) as program:
        await _fill(program.links.of(Imports))
        assert installation.run("search", "reindex").exit_code == 0
        kept = await _index(program.db)
        assert len(kept[0]) == PROVIDERS
        for death in DEATHS:
            await _spoil(program.db)
            assert installation.run("search", "reindex", fail_point=death).exit_code == -9, death.name
            assert await _index(program.db) != kept, death.name
            again = installation.run("search", "reindex")
            assert again.exit_code == 0, again.output
            assert await _index(program.db) == kept, death.name


async def _fill(imports: Imports) -> None:
    rows = [
        ImportedProvider(
            external_id=str(number),
            business_name=f"Kitchen number {number}",
            location="Oslo",
            timezone="Europe/Oslo",
            categories=["thai"],
        )
        for number in range(PROVIDERS)
    ]
    for start in range(0, PROVIDERS, 500):
        await imports.import_providers(vertical="chefs", source="test", providers=rows[start : start + 500])


async def _spoil(db: Database) -> None:
    async with db.write() as tx:
        await tx.execute(update(SearchDocumentRow).values(words="tgone", name="gone"))
        await tx.execute(delete(SearchDocumentRow).where(SearchDocumentRow.number % 2 == 0))
        await tx.execute(delete(SearchSpellingRow))


async def _index(db: Database) -> tuple[list[Any], list[Any]]:
    columns = [column for column in SearchDocumentRow.__table__.c if column.name != "number"]
    async with db.read() as tx:
        documents = await tx.all(select(*columns).order_by(SearchDocumentRow.provider_id))
        spellings = await tx.all(
            select(SearchSpellingRow.spelling, SearchSpellingRow.word).order_by("word", "spelling")
        )
    return list(documents), list(spellings)

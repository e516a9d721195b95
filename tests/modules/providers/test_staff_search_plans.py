"""The search of staff reads an index, whatever it is filtered by."""

from typing import Any

import pytest
from sqlalchemy import insert, select

from fairground.contracts.providers import ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.providers.store import staff
from fairground.modules.providers.tables import ProviderRow, ProviderWordRow
from fairground.platform.db.database import Database
from tests.support.providers import Desk
from tests.support.statements import explain, statements_of, without_scans

PROVIDERS = 1_000
USUAL: dict[str, Any] = {"words": [], "provider_id": None, "status": None, "vertical": None, "before": None}


@pytest.fixture
async def many(desk: Desk, db: Database) -> None:
    """Store enough providers, and their statistics, that the right index is cheaper than the others."""
    provider = await desk.approved()
    async with db.write() as tx:
        [row] = await tx.all(select(ProviderRow.__table__).where(ProviderRow.id == provider.id))
        known = row._asdict()
        copies = [
            known
            | {"id": uuid7(), "slug": f"copy-{n}", "owner_id": None}
            | {"vertical": "chefs" if n % 10 == 0 else known["vertical"]}
            | {"status": {0: "draft", 1: "rejected"}.get(n % 50, known["status"])}
            for n in range(PROVIDERS)
        ]
        await tx.execute(insert(ProviderRow), copies)
        words = [{"word": f"word{n}", "provider_id": copy["id"]} for n, copy in enumerate(copies)]
        await tx.execute(insert(ProviderWordRow), words)
    engine = db.backend.migration_engine()
    with engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    engine.dispose()


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"words": ["trio"]}, "providers_provider_word"),
        ({"words": ["trio", "bla"], "status": ProviderStatus.APPROVED}, "providers_provider_word"),
        ({"status": ProviderStatus.REJECTED}, "ix_providers_provider__status_id"),
        ({"vertical": "chefs"}, "ix_providers_provider__vertical"),
        ({"vertical": "chefs", "status": ProviderStatus.DRAFT}, "ix_providers_provider__vertical_status_id"),
        ({"before": uuid7()}, "providers_provider"),
    ],
    ids=["word", "words", "status", "vertical", "vertical and status", "page"],
)
async def test_search_of_staff_reads_an_index(db: Database, filters: dict[str, Any], index: str) -> None:
    async with db.read() as tx:
        with statements_of(db) as statements:
            await staff.search(tx, **(USUAL | filters), limit=20)
    searches = [each for each in statements if "providers_provider" in each[0]]
    [plan] = [explain(db, each, preparing=without_scans(db)) for each in searches]
    assert index in plan
    assert "Seq Scan" not in plan
    assert "SCAN providers_provider" not in plan.replace("SCAN providers_provider USING INDEX", "")


async def test_suspended_providers_are_found_without_reading_the_others(desk: Desk, db: Database) -> None:
    provider = await desk.approved()
    assert provider.status is ProviderStatus.APPROVED
    async with db.read() as tx:
        with statements_of(db) as statements:
            await staff.search(tx, **(USUAL | {"status": ProviderStatus.SUSPENDED}), limit=20)
    searches = [each for each in statements if "providers_provider" in each[0]]
    plans = "\n".join(explain(db, each) for each in searches)
    if db.backend.ops.name == "sqlite":
        assert "ix_providers_provider__suspended" in plans
        assert "ix_providers_provider__owner_inactive" in plans

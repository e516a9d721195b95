"""The search of staff reads an index, whatever it is filtered by."""

from typing import Any

import pytest

from fairground.contracts.providers import ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.providers.store import staff
from fairground.platform.db.database import Database
from tests.support.providers import Desk
from tests.support.statements import explain, statements_of, without_scans

USUAL: dict[str, Any] = {"words": [], "provider_id": None, "status": None, "vertical": None, "before": None}


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
async def test_search_of_staff_reads_an_index(desk: Desk, db: Database, filters: dict[str, Any], index: str) -> None:
    await desk.approved()
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

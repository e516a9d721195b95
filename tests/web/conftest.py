"""A whole marketplace for each test of the pages."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.marketplace import Market, open_market


@pytest.fixture
async def market(migrated_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with open_market(migrated_url, folder=tmp_path / "var") as market:
        yield market

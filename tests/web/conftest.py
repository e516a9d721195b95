"""A whole marketplace for each test of the pages, in this process or served to a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.marketplace import Market, open_market
from tests.support.visits import Visit, open_visit


@pytest.fixture
async def market(migrated_url: str, tmp_path: Path) -> AsyncIterator[Market]:
    async with open_market(migrated_url, folder=tmp_path / "var") as market:
        yield market


@pytest.fixture
async def visit(migrated_url: str, tmp_path: Path) -> AsyncIterator[Visit]:
    async with open_visit(migrated_url, folder=tmp_path / "var") as visit:
        yield visit

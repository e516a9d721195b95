from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.modules.payments.market import Market


@pytest.fixture
def routes() -> Routes:
    return Routes()


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    return JobOutbox(routes)


@pytest.fixture
async def market(db: Database, routes: Routes, tmp_path: Path) -> AsyncIterator[Market]:
    market = Market(db, routes, tmp_path)
    yield market
    await market.close()

"""The routes of the directory, called as any user."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fairground.platform.db.database import Database
from tests.support.api import open_client
from tests.support.directory import Directory
from tests.support.providers import People


@pytest.fixture
async def client(db: Database, catalog: Directory, people: People) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(db, catalog, people) as opened:
        yield opened

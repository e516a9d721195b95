"""The directory on a real database, with accounts in memory, and its routes as any user calls them."""

from collections.abc import AsyncIterator

import httpx
import pytest

from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.support.api import open_client
from tests.support.directory import Directory
from tests.support.providers import Desk, People


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def verticals() -> Verticals:
    return load_verticals()


@pytest.fixture
def catalog(db: Database, people: People, verticals: Verticals) -> Directory:
    return Directory(db=db, people=people, verticals=verticals)


@pytest.fixture
def desk(catalog: Directory, people: People) -> Desk:
    return Desk(catalog, people)


@pytest.fixture
async def client(db: Database, catalog: Directory, people: People) -> AsyncIterator[httpx.AsyncClient]:
    async with open_client(db, catalog, people) as opened:
        yield opened

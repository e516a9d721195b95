"""The directory on a real database, with accounts in memory."""

import pytest

from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
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

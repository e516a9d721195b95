"""The directory on a real database, with accounts in memory."""

import pytest

from fairground.platform.db.database import Database
from tests.support.catalog import Desk, People
from tests.support.directory import Directory


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def catalog(db: Database, people: People) -> Directory:
    return Directory(db=db, people=people)


@pytest.fixture
def desk(catalog: Directory, people: People) -> Desk:
    return Desk(catalog, people)

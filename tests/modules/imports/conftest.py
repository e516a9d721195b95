"""The directory on a real database, with accounts in memory."""

import pytest

from fairground.platform.db.database import Database
from tests.support.directory import Directory
from tests.support.providers import Desk, People


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture
def catalog(db: Database, people: People) -> Directory:
    return Directory(db=db, people=people)


@pytest.fixture
def desk(catalog: Directory, people: People) -> Desk:
    return Desk(catalog, people)

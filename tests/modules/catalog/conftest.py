"""A catalog on a real database, with accounts that are simply there."""

from typing import cast

import pytest

from fairground.contracts.accounts import Accounts
from fairground.modules.catalog.service import CatalogService
from fairground.modules.catalog.settings import CatalogSettings
from fairground.modules.catalog.store.search.built_in import BuiltInSearch
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.support.catalog import Desk, People, SteppingClock


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def verticals() -> Verticals:
    return load_verticals()


@pytest.fixture
def catalog(db: Database, people: People, verticals: Verticals) -> CatalogService:
    return CatalogService(
        db=db,
        engine=BuiltInSearch(),
        accounts=cast("Accounts", people),
        verticals=verticals,
        clock=SteppingClock(),
        settings=CatalogSettings(currency="EUR"),
    )


@pytest.fixture
def desk(catalog: CatalogService, people: People) -> Desk:
    return Desk(catalog, people)

from typing import cast

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FreeDaysSet
from fairground.contracts.catalog import Catalog
from fairground.contracts.reviews import ProviderRated
from fairground.modules.catalog.wiring import build
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.verticals.loader import Verticals
from tests.support.catalog import People


async def test_the_module_answers_the_contract_and_takes_what_later_modules_tell(
    db: Database, people: People, verticals: Verticals
) -> None:
    links = Links()
    links.provide(Accounts, cast("Accounts", people))
    module = build(db, links, verticals)
    assert set(module.handlers) == {BookingCompleted, ProviderRated, AvailabilityRulesSet, FreeDaysSet}
    assert await links.of(Catalog).get_currency() == "EUR"

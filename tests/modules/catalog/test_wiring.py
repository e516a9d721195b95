from typing import cast

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FreeDaysSet
from fairground.contracts.catalog import Catalog, Galleries
from fairground.contracts.media import PictureDeleted, PictureDescribed, PictureReady, PictureRefused, Pictures
from fairground.contracts.reviews import ProviderRated
from fairground.kernel.messages import Event
from fairground.modules.catalog.wiring import build
from fairground.platform.db.database import Database
from fairground.platform.links import Links
from fairground.verticals.loader import Verticals
from tests.doubles.media import FakePictures
from tests.support.catalog import People


async def test_the_module_answers_the_contract_and_takes_what_later_modules_tell(
    db: Database, people: People, verticals: Verticals
) -> None:
    links = Links()
    links.provide(Accounts, cast("Accounts", people))
    links.provide(Pictures, cast("Pictures", FakePictures()))
    module = build(db, links, verticals)
    told = {BookingCompleted, ProviderRated, AvailabilityRulesSet, FreeDaysSet}
    told |= {PictureReady, PictureDescribed, PictureRefused, PictureDeleted}
    assert {kind for kind in module.handlers if issubclass(kind, Event)} == told
    assert await links.of(Catalog).get_currency() == "EUR"
    assert links.of(Galleries) is not None

from pathlib import Path
from typing import cast

from fairground.contracts.accounts import (
    AccountClosed,
    AccountRestored,
    Accounts,
    AccountSuspended,
    EmailChanged,
    OwnAccounts,
)
from fairground.contracts.booking import AvailabilityRulesSet, BookingCompleted, FirstHoursSet, PastBookingsRecorded
from fairground.contracts.media import Images, PictureDeleted, PictureDescribed, PictureReady, PictureRefused, Pictures
from fairground.contracts.providers import Galleries, Providers
from fairground.contracts.reviews import PastReviewsRecorded, ProviderRated
from fairground.kernel.messages import Event
from fairground.modules.providers.module import build
from fairground.platform.db.database import Database
from fairground.platform.module import Links
from tests.doubles.media import FakePictures
from tests.support.providers import People
from tests.support.runtime import make_runtime


async def test_module_provides_its_contracts_and_handles_events_of_later_modules(
    db: Database, people: People, tmp_path: Path
) -> None:
    links = Links()
    links.provide(Accounts, cast("Accounts", people))
    links.provide(OwnAccounts, cast("OwnAccounts", people))
    links.provide(Pictures, cast("Pictures", FakePictures()))
    links.provide(Images, cast("Images", None))
    module = build(make_runtime(db, tmp_path), links)
    handled = {BookingCompleted, PastBookingsRecorded, ProviderRated, PastReviewsRecorded}
    handled |= {AvailabilityRulesSet, FirstHoursSet}
    handled |= {AccountSuspended, AccountRestored, AccountClosed, EmailChanged}
    handled |= {PictureReady, PictureDescribed, PictureRefused, PictureDeleted}
    assert {kind for kind in module.handlers if issubclass(kind, Event)} == handled
    assert await links.of(Providers).get_currency() == "EUR"
    assert links.of(Galleries) is not None

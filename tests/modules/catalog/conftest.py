"""A catalog on a real database, with accounts that are simply there."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from fairground.contracts.accounts import Accounts
from fairground.contracts.media import Pictures
from fairground.modules.catalog.service.following import PictureFollower
from fairground.modules.catalog.service.galleries import GalleryService
from fairground.modules.catalog.service.pictures import FollowPicture
from fairground.modules.catalog.service.portraits import PortraitService
from fairground.modules.catalog.settings import CatalogSettings
from fairground.modules.catalog.store.search.built_in import BuiltInSearch
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.doubles.media import FakePictures
from tests.support.catalog import Desk, People, SteppingClock
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.wall import Wall


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def verticals() -> Verticals:
    return load_verticals()


@pytest.fixture
def shared(db: Database, people: People, verticals: Verticals) -> dict[str, Any]:
    """Give what every part of the service is made with."""
    return {
        "db": db,
        "engine": BuiltInSearch(),
        "accounts": cast("Accounts", people),
        "verticals": verticals,
        "clock": SteppingClock(),
        "settings": CatalogSettings(currency="EUR"),
    }


@pytest.fixture
def catalog(shared: dict[str, Any]) -> Directory:
    return Directory(**shared)


@pytest.fixture
def album() -> FakePictures:
    return FakePictures()


@pytest.fixture
def shared_with_pictures(shared: dict[str, Any], album: FakePictures) -> dict[str, Any]:
    return {"pictures": cast("Pictures", album), **shared}


@pytest.fixture
def portraits(shared_with_pictures: dict[str, Any]) -> PortraitService:
    return PortraitService(**shared_with_pictures)


@pytest.fixture
def galleries(shared_with_pictures: dict[str, Any]) -> GalleryService:
    return GalleryService(**shared_with_pictures)


@pytest.fixture
def follower(shared_with_pictures: dict[str, Any]) -> PictureFollower:
    return PictureFollower(**shared_with_pictures)


@pytest.fixture
def follow(follower: PictureFollower, outbox: RecordingOutbox) -> Callable[[], Awaitable[None]]:
    """Give what runs the one job that a choice has asked for."""

    async def run() -> None:
        [job] = [job for job in outbox.jobs if isinstance(job, FollowPicture)]
        await follower.on_follow_picture(job)

    return run


@pytest.fixture
def desk(catalog: Directory, people: People) -> Desk:
    return Desk(catalog, people)


@pytest.fixture
async def wall(desk: Desk, galleries: GalleryService, album: FakePictures) -> Wall:
    """Give the gallery of an approved provider."""
    return Wall(galleries, album, await desk.approved())

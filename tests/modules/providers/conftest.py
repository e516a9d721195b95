"""Providers on a real database, with accounts in memory."""

from collections.abc import Awaitable, Callable

import pytest

from fairground.modules.providers.service.event_handlers import PictureEventHandlers
from fairground.modules.providers.service.pictures import FollowPicture, GalleryService, PortraitService
from fairground.platform.db.database import Database
from fairground.verticals.loader import Verticals, load_verticals
from tests.doubles.media import FakePictures
from tests.support.directory import Directory
from tests.support.outbox import RecordingOutbox
from tests.support.providers import Desk, People
from tests.support.wall import Wall


@pytest.fixture
def people() -> People:
    return People()


@pytest.fixture(scope="session")
def verticals() -> Verticals:
    return load_verticals()


@pytest.fixture
def album() -> FakePictures:
    return FakePictures()


@pytest.fixture
def catalog(db: Database, people: People, verticals: Verticals, album: FakePictures) -> Directory:
    return Directory(db=db, people=people, verticals=verticals, album=album)


@pytest.fixture
def portraits(catalog: Directory) -> PortraitService:
    return catalog.portraits


@pytest.fixture
def galleries(catalog: Directory) -> GalleryService:
    return catalog.galleries


@pytest.fixture
def follower(catalog: Directory) -> PictureEventHandlers:
    return catalog.follower


@pytest.fixture
def follow(follower: PictureEventHandlers, outbox: RecordingOutbox) -> Callable[[], Awaitable[None]]:
    """Give a function that runs the one job that a choice has enqueued."""

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

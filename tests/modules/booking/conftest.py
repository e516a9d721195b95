"""A rig for every test of booking, and a whole program for some."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairground.platform.db.database import Database
from tests.modules.booking.fair import Fair, open_fair
from tests.modules.booking.rig import Rig, make_rig
from tests.support.outbox import RecordingOutbox


@pytest.fixture
def rig(db: Database, outbox: RecordingOutbox) -> Rig:
    return make_rig(db, outbox)


@pytest.fixture
async def fair(migrated_url: str, tmp_path: Path) -> AsyncIterator[Fair]:
    async with open_fair(migrated_url, folder=tmp_path) as fair:
        yield fair

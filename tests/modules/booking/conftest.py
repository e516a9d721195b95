"""A rig for every test of booking."""

import pytest

from fairground.platform.db.database import Database
from tests.modules.booking.rig import Rig, make_rig
from tests.support.outbox import RecordingOutbox


@pytest.fixture
def rig(db: Database, outbox: RecordingOutbox) -> Rig:
    return make_rig(db, outbox)

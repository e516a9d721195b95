"""A rig for every test of messaging."""

import pytest

from fairground.platform.db.database import Database
from tests.modules.messaging.rig import Rig, make_rig


@pytest.fixture
def rig(db: Database) -> Rig:
    return make_rig(db)

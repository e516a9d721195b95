"""A rig for every test of notifications, on a job table that works."""

from pathlib import Path

import pytest

from fairground.platform.db.database import Database
from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.modules.notifications.rig import Rig, make_rig


@pytest.fixture
def routes() -> Routes:
    return Routes()


@pytest.fixture
def outbox(routes: Routes) -> JobOutbox:
    return JobOutbox(routes)


@pytest.fixture
def rig(db: Database, routes: Routes, tmp_path: Path) -> Rig:
    return make_rig(db, routes, tmp_path / "mail")

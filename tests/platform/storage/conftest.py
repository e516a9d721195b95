from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fairground.platform.storage.store import Store
from tests.support.storage import MovedClock, StoreHarness, folder_store, open_harness, s3_store


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=["folder", "s3"])
async def harness(request: pytest.FixtureRequest, tmp_path: Path, clock: MovedClock) -> AsyncIterator[StoreHarness]:
    """Give each kind of store; `indirect` parameters may ask for "s3 without direct uploads"."""
    if request.param == "folder":
        store: Store = folder_store(tmp_path, clock=clock)
    else:
        server = request.getfixturevalue("s3_server")
        store = s3_store(server, clock=clock, takes_direct_uploads=request.param == "s3")
    async with open_harness(store, spool=tmp_path / "incoming") as harness:
        yield harness

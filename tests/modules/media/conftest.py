from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.studio import Studio, open_studio


@pytest.fixture
async def studio(migrated_url: str, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(migrated_url, tmp_path) as opened:
        yield opened

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.databases import copy_of
from tests.support.gallery import Gallery, open_gallery
from tests.support.studio import Studio, open_studio


@pytest.fixture
async def studio(migrated_url: str, tmp_path: Path) -> AsyncIterator[Studio]:
    async with open_studio(migrated_url, tmp_path) as opened:
        yield opened


@pytest.fixture(scope="package")
async def gallery(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gallery]:
    """Run one program for all tests that bring pictures of their own to it."""
    folder = tmp_path_factory.mktemp("gallery")
    async with open_gallery(copy_of(sqlite_template, folder), folder / "data") as opened:
        yield opened

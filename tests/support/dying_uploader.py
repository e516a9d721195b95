"""A process that uploads one picture, runs its jobs, and is killed in between."""

import asyncio
from pathlib import Path
from typing import Final
from uuid import UUID

from tests.support.pictures import photograph
from tests.support.server_process import FailPoint
from tests.support.studio import open_studio

OWNER: Final = UUID(int=7)
PHOTO: Final = photograph(450, 300)


def upload_and_die(*, url: str, folder: Path, point: FailPoint) -> None:
    point.arm()
    asyncio.run(_upload(url, folder))


async def _upload(url: str, folder: Path) -> None:
    async with open_studio(url, folder) as studio:
        await studio.upload(OWNER, PHOTO)
        await studio.work()

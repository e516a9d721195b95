"""A server process that shows pictures, with its metrics of them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from tests.support.databases import copy_of
from tests.support.market import visiting
from tests.support.portrait_owners import PortraitOwner, open_portrait_owner
from tests.support.scraping import labelled, read
from tests.support.servers import Installation, ServerProcess

_METRICS: Final = re.compile(r"http://127\.0\.0\.1:(\d+)/metrics")


@dataclass(frozen=True)
class PictureServer:
    server: ServerProcess
    client: httpx.AsyncClient
    installation: Installation

    async def open_portrait_owner(self, name: str = "Maya Stone") -> PortraitOwner:
        async with visiting(self.installation) as program:
            return await open_portrait_owner(program, self.client, name=name)

    async def count_renders(self) -> int:
        """Return how many pictures have been made since the start."""
        found = _METRICS.search(self.server.log())
        assert found is not None, "The server shows no metrics."
        samples = await read(int(found[1]))
        return int(samples[labelled("image_render_duration_seconds_count")])


@asynccontextmanager
async def serving_pictures(
    template: Path, folder: Path, *, has_turns: bool = True, lost_bytes: int = 0, **settings: Any
) -> AsyncIterator[PictureServer]:
    """Serve an installation of its own, on SQLite.

    Args:
        has_turns: False for a control in which each caller has every picture made for itself.
        lost_bytes: Of memory, with each picture that is made, for a control.
        settings: Of pictures, without the beginning that their variables share: `renderers=1`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = {f"FAIRGROUND_IMAGES_{name.upper()}": str(value) for name, value in settings.items()}
    url = copy_of(template, folder)
    installation = Installation(database_url=url, data_dir=folder / "data", FAIRGROUND_METRICS_PORT="0", **written)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    with installation.serving(has_turns=has_turns, lost_bytes=lost_bytes) as server:
        async with httpx.AsyncClient(base_url=server.url, timeout=60, limits=limits) as client:
            yield PictureServer(server, client, installation)

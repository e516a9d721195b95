"""Bringing lists and search up to date in tests."""

from typing import Final

import anyio

from fairground.contracts.discovery import Discovery
from fairground.contracts.providers import ProvidersChanged
from fairground.entrypoints.compose import Program
from fairground.platform.cache.invalidation import InvalidateTags
from fairground.platform.db.database import Database
from fairground.platform.jobs.store import find_unfinished

_FOLLOWING: Final = f"discovery:{ProvidersChanged.topic}"
_INVALIDATING: Final = f"cache:{InvalidateTags.topic}"


async def fill_lists(program: Program) -> None:
    """Let lists and search show every provider as it is now, where no worker runs or it cannot be waited for."""
    discovery, after = program.links.of(Discovery), None
    while step := await discovery.rebuild(after=after):
        after = step.last_id


async def lists_have_followed(program: Program, *, is_cache_away: bool = False) -> None:
    """Wait until workers have brought every change of a provider to the lists, and invalidated what was cached.

    Args:
        is_cache_away: Do not wait for what only the shared level of the cache can end.
    """
    with anyio.fail_after(20):
        for kind in (_FOLLOWING,) if is_cache_away else (_FOLLOWING, _INVALIDATING):
            while await _has_unfinished(program.db, kind=kind):
                await anyio.sleep(0.02)


async def _has_unfinished(db: Database, *, kind: str) -> bool:
    async with db.read() as tx:
        return bool(await find_unfinished(tx, kind=kind))

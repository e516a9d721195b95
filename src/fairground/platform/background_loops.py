"""Loops that outlive the outages of what they depend on."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from fairground.platform.db.dialect.base import DatabaseUnavailable

PAUSE_MAX_SECONDS: Final = 5.0

log = structlog.get_logger()


async def repeat(
    step: Callable[[], Awaitable[float]], *, until: asyncio.Event, pause_max_seconds: float = PAUSE_MAX_SECONDS
) -> None:
    """Run the step again and again, after as many seconds as it returns, or after a growing pause when it fails.

    Without this, a worker would end when its database is away, and an operator would have to start it by hand.
    """
    failures = 0
    while not until.is_set():
        try:
            pause = await step()
            failures = 0
        except Exception as error:
            failures += 1
            pause = min(pause_max_seconds, 0.25 * 2**failures) * random.uniform(0.5, 1)  # noqa: S311 - not a secret
            is_known = isinstance(error, DatabaseUnavailable | TimeoutError)
            log.warning("loop.step_failed", failures=failures, error=repr(error), exc_info=None if is_known else error)
        await wait(until, seconds=pause)


async def wait(event: asyncio.Event, *, seconds: float) -> None:
    """Wait for the event, but not longer than that."""
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return

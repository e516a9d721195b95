"""Waits for a condition. Machines are slow and shared, so the limit is generous."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

LIMIT_SECONDS: Final = 30


def wait_until(is_so: Callable[[], object], *, seconds: float = LIMIT_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "This did not become true in time."
        time.sleep(0.02)


async def until(is_so: Callable[[], bool | Awaitable[bool]], *, seconds: float = LIMIT_SECONDS) -> None:
    """Wait without stopping the event loop."""
    deadline = time.monotonic() + seconds
    while True:
        answer = is_so()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "This did not become true in time."
        await asyncio.sleep(0.01)

"""How long we wait for a server, without holding our own slowness against it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

_LATE_SECONDS: Final = 0.01
_SECOND_CHANCES: Final = 5


@asynccontextmanager
async def answered_within(seconds: float) -> AsyncIterator[None]:
    """Leave the block with TimeoutError when it takes longer than that.

    Where the event loop itself was late, the answer may have come and nobody has read it: then the wait begins anew,
    a few times at most.
    """
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:
        chances = _SECOND_CHANCES
        timer: asyncio.TimerHandle

        def judge() -> None:
            nonlocal chances, timer
            if chances and loop.time() - timer.when() > _LATE_SECONDS:
                chances -= 1
                timer = loop.call_later(seconds, judge)
            else:
                limit.reschedule(loop.time())

        timer = loop.call_later(seconds, judge)
        try:
            yield
        finally:
            timer.cancel()

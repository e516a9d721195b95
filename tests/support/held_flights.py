"""Holds one computation of one server process at a moment of a test's choice, until the test lets it go."""

import asyncio
import contextlib
import json
import os
from collections.abc import Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from functools import partial, wraps
from pathlib import Path
from types import coroutine
from typing import Any, Final

from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.entry import Entry
from fairground.platform.cache.filler import Compute, Filler, FillResult
from fairground.platform.cache.policy import CacheRequest

_PAUSE_SECONDS: Final = 0.005


@dataclass(frozen=True)
class HeldFlights:
    """Controlled by files, because the test and the server are different processes.

    A flight has one moment for each wait: for the shared level, the database or another process. At the chosen moment
    the wait has ended, and the flight does not continue.
    """

    folder: Path

    def arm(self) -> None:
        run_fill, compute = ResponseCache._run_fill, Filler._compute

        async def fill_in_steps(
            cache: ResponseCache, request: CacheRequest, *positional: Any, **named: Any
        ) -> FillResult:
            work = run_fill(cache, request, *positional, **named)
            return await _in_steps(work, hold=partial(self._hold, request.path))

        @wraps(compute)
        async def compute_and_read_tokens(
            filler: Filler, request: CacheRequest, call: Compute, **named: Any
        ) -> FillResult:
            filled = await compute(filler, request, call, **named)
            if self._late.exists() and filled.entry is not None:
                await _read_tokens_again(filler, request, filled.entry)
            return filled

        setattr(ResponseCache, "_run_fill", fill_in_steps)  # noqa: B010 - mypy knows better than we what it may be
        setattr(Filler, "_compute", compute_and_read_tokens)  # noqa: B010 - the same

    def hold(self, *, process: int, path: str, moment: int) -> None:
        """Hold the next flight of a process for a path, at one of its moments, counted from 1."""
        self.let_go()
        self._held.unlink(missing_ok=True)
        aside = self._wish.with_suffix(".new")
        aside.write_text(json.dumps([process, path, moment]))
        aside.rename(self._wish)

    @property
    def is_held(self) -> bool:
        return self._held.exists()

    def let_go(self) -> None:
        self._wish.unlink(missing_ok=True)

    @contextlib.contextmanager
    def reading_tokens_late(self) -> Iterator[None]:
        """Switch off, for a negative control, that tokens are read before an answer is computed."""
        self._late.touch()
        yield
        self._late.unlink()

    async def _hold(self, path: str, moment: int) -> None:
        while self._is_wished([os.getpid(), path, moment]):
            self._held.touch()
            await asyncio.sleep(_PAUSE_SECONDS)

    def _is_wished(self, what: list[int | str]) -> bool:
        try:
            return bool(json.loads(self._wish.read_text()) == what)
        except FileNotFoundError:
            return False

    @property
    def _wish(self) -> Path:
        return self.folder / "hold"

    @property
    def _held(self) -> Path:
        return self.folder / "held"

    @property
    def _late(self) -> Path:
        return self.folder / "late-tokens"


async def _read_tokens_again(filler: Filler, request: CacheRequest, entry: Entry) -> None:
    assert filler._level is not None
    claim = await filler._level.claim("late", owner="late", seconds=1, fields=["m"], tags=request.tags, force=True)
    entry.tokens = tuple(token for token in claim.found.tokens if token is not None)


@coroutine
def _in_steps(
    work: Coroutine[Any, Any, FillResult], *, hold: Callable[[int], Coroutine[Any, Any, None]]
) -> Generator[Any, Any, FillResult]:
    """Go on with the work as an event loop would, and stop after each wait as long as `hold` does."""
    moment = 0
    go_on: Callable[[], Any] = partial(work.send, None)
    while True:
        try:
            waits_for = go_on()
        except StopIteration as end:
            filled: FillResult = end.value
            return filled
        moment += 1
        try:
            yield waits_for
            yield from hold(moment).__await__()
        except BaseException as error:  # noqa: BLE001 - every exception is thrown into the work
            go_on = partial(work.throw, error)
        else:
            go_on = partial(work.send, None)

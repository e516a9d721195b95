"""When a server is to be left alone."""

import time
from collections.abc import Callable
from typing import Final

FAILURES_IN_A_ROW: Final = 5
_FEWEST_CALLS: Final = 10  # of fewer, a half says nothing


class Breaker:
    """Opens after five failures in a row, or when half of the calls of the last two seconds failed."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.reset()

    def reset(self) -> None:
        self._in_a_row = 0
        self._second = 0
        self._now, self._before = [0, 0], [0, 0]  # calls and failures, in this second and in the one before

    def succeeded(self) -> None:
        self._in_a_row = 0
        self._count(failures=0)

    def failed(self) -> None:
        self._in_a_row += 1
        self._count(failures=1)

    @property
    def is_open(self) -> bool:
        calls, failures = (sum(pair) for pair in zip(self._now, self._before, strict=True))
        return self._in_a_row >= FAILURES_IN_A_ROW or (calls >= _FEWEST_CALLS and 2 * failures >= calls)

    def _count(self, *, failures: int) -> None:
        second = int(self._clock())
        if second != self._second:
            self._before = self._now if second == self._second + 1 else [0, 0]
            self._now, self._second = [0, 0], second
        self._now[0] += 1
        self._now[1] += failures

"""Who gets a long stay: keys that were asked for twice, not every address that a scanner makes up."""

import time
from collections.abc import Callable
from typing import Final

FIRST_STAY_SECONDS: Final = 60.0
_ONE_REQUEST_SECONDS: Final = 5.0  # looks this close together may belong to one request, which looks more than once
_KEYS_MAX: Final = 20_000  # about 3 MB


class Doorkeeper:
    """Remembers the keys that were asked for lately.

    What was seen once stays for a minute: long enough for those who wait for the same computation, too short for
    a million addresses that nobody asks for again.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[float, bool]] = {}

    def saw(self, key: str) -> None:
        now = self._clock()
        last, _ = self._seen.get(key, (-FIRST_STAY_SECONDS, False))
        apart = now - last
        if apart < _ONE_REQUEST_SECONDS:
            return
        self._seen.pop(key, None)
        self._seen[key] = (now, apart < FIRST_STAY_SECONDS)
        if len(self._seen) > _KEYS_MAX:
            del self._seen[next(iter(self._seen))]

    def stay_seconds(self, key: str, *, ttl_seconds: float) -> float:
        """Return how long an entry may stay."""
        _, is_known = self._seen.get(key, (0.0, False))
        return ttl_seconds if is_known else min(ttl_seconds, FIRST_STAY_SECONDS)

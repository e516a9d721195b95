"""A bounded dictionary whose values expire."""

from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class TTLMap(Generic[_Value]):
    """At most `most` values by key. Expired values leave with the next call; of too many, the oldest leave."""

    def __init__(self, *, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._now = now
        # In the order in which they expire, since all values of one map live equally long.
        self._values: dict[str, tuple[float, _Value]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: str) -> _Value | None:
        self._evict()
        found = self._values.get(key)
        return found[1] if found is not None else None

    def put(self, key: str, value: _Value, *, seconds: float) -> None:
        self._values.pop(key, None)
        self._values[key] = (self._now() + seconds, value)
        self._evict()

    def _evict(self) -> None:
        while self._values:
            first = next(iter(self._values))
            if len(self._values) <= self._most and self._now() < self._values[first][0]:
                return
            del self._values[first]

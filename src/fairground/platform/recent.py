"""What went wrong a moment ago, so that those who come next need not find it out once more."""

from collections.abc import Callable
from typing import Generic, TypeVar

_Value = TypeVar("_Value")


class Recent(Generic[_Value]):
    """Values by key, each for moments only. What is over is let go with the next question."""

    def __init__(self, *, most: int, now: Callable[[], float]) -> None:
        self._most = most
        self._now = now
        # In the order in which they end, since all last equally long.
        self._values: dict[str, tuple[float, _Value]] = {}

    def __len__(self) -> int:
        return len(self._values)

    def find(self, key: str) -> _Value | None:
        self._let_go()
        found = self._values.get(key)
        return found[1] if found is not None else None

    def remember(self, key: str, value: _Value, *, seconds: float) -> None:
        self._values.pop(key, None)
        self._values[key] = (self._now() + seconds, value)
        self._let_go()

    def _let_go(self) -> None:
        while self._values:
            first = next(iter(self._values))
            if len(self._values) <= self._most and self._now() < self._values[first][0]:
                return
            del self._values[first]

"""Single-flight: of equal requests at the same time, one is computed, and the others wait for its result."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairground.platform.cache.invalidation import TagState

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, eq=False)
class Computation(Generic[_Result]):
    """A computation in progress, and the state of its tags before it began."""

    task: asyncio.Task[_Result]
    state: TagState

    async def wait(self, *, timeout_seconds: float) -> _Result:
        """Wait for the result. Cancelling one waiter cancels neither the task nor the other waiters.

        Raises:
            TimeoutError: It takes longer.
        """
        async with asyncio.timeout(timeout_seconds):
            return await asyncio.shield(self.task)


class SingleFlight(Generic[_Result]):
    """The computations of this process by key. They belong to no request, and end before `running` does."""

    def __init__(self) -> None:
        self._computations: dict[str, Computation[_Result]] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                # All requests have their responses by now: what is left are refreshes in the background.
                for computation in self._computations.values():
                    computation.task.cancel()

    @property
    def is_running(self) -> bool:
        return self._group is not None

    def find(self, key: str, *, state: TagState) -> Computation[_Result] | None:
        """Return the computation in progress; None if it began before one of its tags was invalidated."""
        computation = self._computations.get(key)
        return computation if computation is not None and computation.state == state else None

    def start(self, key: str, work: Coroutine[Any, Any, _Result], *, state: TagState) -> Computation[_Result]:
        """Start a computation that other requests can join. The work never raises.

        Raises:
            RuntimeError: Nothing is `running`.
        """
        if self._group is None:
            work.close()
            raise RuntimeError("The cache is not running; enter Program.running() first.")
        # In an empty context: nothing that belongs to the first caller may reach a response for all.
        computation = Computation(self._group.create_task(work, context=Context()), state)
        self._computations[key] = computation
        computation.task.add_done_callback(lambda _task: self._remove(key, computation))
        return computation

    def _remove(self, key: str, computation: Computation[_Result]) -> None:
        if self._computations.get(key) is computation:
            del self._computations[key]

"""Single flight: of all who want the same answer, one computes it and the others wait for it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fairground.platform.cache.tags import State

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, eq=False)
class Flight(Generic[_Result]):
    """A computation under way, and the state of its tags before it began."""

    task: asyncio.Task[_Result]
    state: State

    async def landing(self, *, timeout_seconds: float) -> _Result:
        """Wait for the result. Whoever gives up, or is cancelled, harms neither the flight nor who else waits.

        Raises:
            TimeoutError: It takes longer.
        """
        async with asyncio.timeout(timeout_seconds):
            return await asyncio.shield(self.task)


class Flights(Generic[_Result]):
    """The computations of this process by key. They belong to nobody who asked, and end before `running` does."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight[_Result]] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                # Whoever asked has been answered by now: what is left renews answers for nobody.
                for flight in self._flights.values():
                    flight.task.cancel()

    @property
    def is_running(self) -> bool:
        return self._group is not None

    def find(self, key: str, *, state: State) -> Flight[_Result] | None:
        """Return the flight under way, unless it began before a tag was renewed: it may carry what was true then."""
        flight = self._flights.get(key)
        return flight if flight is not None and flight.state == state else None

    def start(self, key: str, work: Coroutine[Any, Any, _Result], *, state: State) -> Flight[_Result]:
        """Start the flight that others may join from now on. The work never raises.

        Raises:
            RuntimeError: Nothing is `running`.
        """
        if self._group is None:
            work.close()
            raise RuntimeError("The cache is not running; enter Program.running() first.")
        # In a context of its own: nothing that belongs to the first caller may reach an answer for all.
        flight = Flight(self._group.create_task(work, context=Context()), state)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda _task: self._land(key, flight))
        return flight

    def _land(self, key: str, flight: Flight[_Result]) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

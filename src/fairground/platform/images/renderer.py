"""Rendering as the program asks for it: a few children, a bounded queue, one flight for all who want the same."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field

from fairground.kernel.errors import DomainError
from fairground.platform.histogram import DurationHistogram
from fairground.platform.images.recipes import Recipe
from fairground.platform.images.refusals import RendererBusy, RendererUnavailable
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.images.settings import ImageSettings
from fairground.platform.images.wire import EngineName
from fairground.platform.images.worker import Worker

Load = Callable[[], Awaitable[bytes]]
_Key = tuple[str, tuple[Recipe, ...]]


@dataclass
class RenderStats:
    """Counts since the start of the process."""

    durations: DurationHistogram = field(default_factory=DurationHistogram)
    """From the request to the pictures, the wait in the queue included; only of those that were rendered."""
    failed: Counter[str] = field(default_factory=Counter)
    """By problem code."""
    joined: int = 0
    """Callers who waited for somebody else's rendering."""
    children_started: int = 0


class Renderer:
    """Renders while it is `running`. Its children start with the first pictures and hold nothing of this process."""

    def __init__(self, settings: ImageSettings, *, engine: EngineName = EngineName.BEST) -> None:
        self.stats = RenderStats()
        self._settings = settings
        self._engine = engine
        self._turns = asyncio.Semaphore(settings.renderers)
        self._idle: list[Worker] = []
        self._flights: dict[_Key, asyncio.Task[Rendered | Exception]] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Accept work until the end of the block, which leaves no child behind."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                try:
                    yield
                finally:
                    self._group = None
                    for flight in self._flights.values():
                        flight.cancel()
        finally:
            await asyncio.gather(*(worker.stop() for worker in self._idle))
            self._idle.clear()

    @property
    def waiting(self) -> int:
        """How many pictures wait for a child."""
        return max(0, len(self._flights) - self._settings.renderers)

    async def render(self, source: str, recipes: Sequence[Recipe], load: Load) -> Rendered:
        """Render a source by recipes, all from one decode.

        Who asks for what is being rendered waits for that. Whoever leaves ends it for nobody else.

        Args:
            source: Names the content, by its digest: the same name is never used for other bytes.
            load: Gives the content when it is this picture's turn, so that what waits takes no memory.

        Raises:
            RendererBusy: Too many wait already.
            RendererUnavailable: It is not `running`, or its children do not start.
            PictureBroken, PictureTooCostly: The content could not be decoded.
            Exception: Whatever `load` raises.
        """
        key = (source, tuple(recipes))
        flight = self._flights.get(key)
        if flight is None:
            flight = self._start(key, load)
        else:
            self.stats.joined += 1
        # Waiting for a set of one, unlike awaiting the task, does not cancel it when this caller is cancelled.
        await asyncio.wait({flight})
        if flight.cancelled():
            raise RendererUnavailable("The server is stopping.")
        outcome = flight.result()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _start(self, key: _Key, load: Load) -> asyncio.Task[Rendered | Exception]:
        if self._group is None:
            raise RendererUnavailable("Nothing is rendered before the start of the server and after its end.")
        if len(self._flights) >= self._settings.renderers + self._settings.queue_max:
            self.stats.failed[RendererBusy.code] += 1
            raise RendererBusy(f"{self._settings.queue_max} pictures wait to be rendered already.")
        # In a context of its own: nothing of the first caller may reach what all others get.
        flight = self._group.create_task(self._fly(key[1], load), context=Context())
        self._flights[key] = flight
        flight.add_done_callback(lambda _flight: self._flights.pop(key))
        return flight

    async def _fly(self, recipes: tuple[Recipe, ...], load: Load) -> Rendered | Exception:
        started = time.monotonic()
        try:
            async with self._turns, self._worker() as worker:
                rendered = await worker.render(await load(), recipes)
        except DomainError as error:
            self.stats.failed[error.code] += 1
            return error
        except Exception as error:  # noqa: BLE001 - whatever went wrong belongs to those who asked, not to the group
            self.stats.failed[type(error).__name__] += 1
            return error
        self.stats.durations.add(time.monotonic() - started)
        return rendered

    @asynccontextmanager
    async def _worker(self) -> AsyncIterator[Worker]:
        """Lend a child; one that lives and is not spent comes back."""
        while self._idle and not self._idle[-1].is_alive:
            self._idle.pop()
        worker = self._idle.pop() if self._idle else await self._start_worker()
        try:
            yield worker
        finally:
            if worker.is_alive and not worker.is_spent:
                self._idle.append(worker)
            else:
                await worker.stop()

    async def _start_worker(self) -> Worker:
        self.stats.children_started += 1
        return await Worker.start(self._settings, engine=self._engine)

"""The renderer: a few child processes, a bounded queue, and single-flight for equal requests."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field

from fairground.kernel.errors import DomainError
from fairground.platform.images.child import EngineName
from fairground.platform.images.recipes import Recipe
from fairground.platform.images.refusals import RendererBusy, RendererUnavailable
from fairground.platform.images.render_process import RenderProcess
from fairground.platform.images.rendering.canvas import Rendered
from fairground.platform.images.settings import ImageSettings
from fairground.platform.measures import Counted, DurationHistogram, Gauged, Measure, Timed

Load = Callable[[], Awaitable[bytes]]
_Key = tuple[str, tuple[Recipe, ...]]


@dataclass
class RenderStats:
    """Counts since the start of the process."""

    durations: DurationHistogram = field(default_factory=DurationHistogram)
    """From the request to the derivatives, the wait in the queue included; only of successful renderings."""
    failed: Counter[str] = field(default_factory=Counter)
    """By problem code."""
    joined: int = 0
    """Callers that waited for a rendering which another caller had started."""
    children_started: int = 0


class Renderer:
    """Renders while it is `running`. Its children start with the first pictures and inherit nothing of this process."""

    def __init__(self, settings: ImageSettings, *, engine: EngineName = EngineName.BEST) -> None:
        self.stats = RenderStats()
        self._settings = settings
        self._engine = engine
        self._turns = asyncio.Semaphore(settings.renderers)
        self._idle: list[RenderProcess] = []
        self._tasks: dict[_Key, asyncio.Task[Rendered | Exception]] = {}
        self._group: asyncio.TaskGroup | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Accept pictures until the end of the block, and end all children there."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                try:
                    yield
                finally:
                    self._group = None
                    for task in self._tasks.values():
                        task.cancel()
        finally:
            await asyncio.gather(*(process.stop() for process in self._idle))
            self._idle.clear()

    @property
    def waiting(self) -> int:
        """The number of pictures that wait for a child."""
        return max(0, len(self._tasks) - self._settings.renderers)

    def measure(self) -> Iterator[Measure]:
        yield Timed(
            "image_render_duration_seconds",
            "Duration of successful renderings, including the wait in the queue.",
            [((), self.stats.durations)],
        )
        yield Counted(
            "image_render_failures",
            "Failed renderings by problem code, including those refused because the queue was full.",
            [((code,), count) for code, count in list(self.stats.failed.items())],
            labels=("code",),
        )
        yield Counted(
            "image_renders_joined",
            "Requests that waited for another request's rendering.",
            [((), self.stats.joined)],
        )
        yield Counted("image_children_started", "Render processes started.", [((), self.stats.children_started)])
        yield Gauged("image_renders_waiting", "Pictures waiting to be rendered.", self.waiting)

    async def render(self, source: str, recipes: Sequence[Recipe], load: Load) -> Rendered:
        """Render a source by recipes, all from one decode.

        Equal requests share one rendering. Cancelling one caller cancels neither it nor the other callers.

        Args:
            source: The name of the content, by its digest: the same name is never used for other bytes.
            load: Returns the content when it is this picture's turn, so that waiting takes no memory.

        Raises:
            RendererBusy: The queue is full.
            RendererUnavailable: It is not `running`, or its children do not start.
            PictureBroken, PictureTooCostly: The content could not be decoded.
            Exception: `load` raised it.
        """
        key = (source, tuple(recipes))
        task = self._tasks.get(key)
        if task is None:
            task = self._start(key, load)
        else:
            self.stats.joined += 1
        # Waiting for a set of one, unlike awaiting the task, does not cancel it when this caller is cancelled.
        await asyncio.wait({task})
        if task.cancelled():
            raise RendererUnavailable("The server is stopping.")
        outcome = task.result()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _start(self, key: _Key, load: Load) -> asyncio.Task[Rendered | Exception]:
        if self._group is None:
            raise RendererUnavailable("The renderer is not running.")
        if len(self._tasks) >= self._settings.renderers + self._settings.queue_max:
            self.stats.failed[RendererBusy.code] += 1
            raise RendererBusy(f"{self._settings.queue_max} pictures are already waiting to be rendered.")
        # In a context of its own: nothing of the first caller may reach the result that all callers share.
        task = self._group.create_task(self._run(key[1], load), context=Context())
        self._tasks[key] = task
        task.add_done_callback(lambda _task: self._tasks.pop(key))
        return task

    async def _run(self, recipes: tuple[Recipe, ...], load: Load) -> Rendered | Exception:
        started = time.monotonic()
        try:
            async with self._turns, self._lend_process() as process:
                rendered = await process.render(await load(), recipes)
        except DomainError as error:
            self.stats.failed[error.code] += 1
            return error
        except Exception as error:  # noqa: BLE001 - any error is for the callers, and must not end the task group
            self.stats.failed[type(error).__name__] += 1
            return error
        self.stats.durations.add(time.monotonic() - started)
        return rendered

    @asynccontextmanager
    async def _lend_process(self) -> AsyncIterator[RenderProcess]:
        """Lend a child, and take it back while it is alive and not spent."""
        while self._idle and not self._idle[-1].is_alive:
            self._idle.pop()
        process = self._idle.pop() if self._idle else await self._start_process()
        try:
            yield process
        finally:
            if process.is_alive and not process.is_spent:
                self._idle.append(process)
            else:
                await process.stop()

    async def _start_process(self) -> RenderProcess:
        self.stats.children_started += 1
        return await RenderProcess.start(self._settings, engine=self._engine)

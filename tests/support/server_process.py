"""A server process of the tests: the program itself, and the changes that a test makes to it."""

import asyncio
import importlib
import os
import random
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import false

import fairground.entrypoints.cli.server  # noqa: F401 - now, so that the processes forked from us need not
from fairground.entrypoints.cli import main
from fairground.modules.booking.time.store import allocations as time_store
from fairground.modules.media.service import renditions
from fairground.platform.cache.policy import CacheRequest, ComputedResponse
from fairground.platform.cache.shared_level import LevelState
from fairground.platform.http.caching.computation import ResponseComputer
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.rendering.canvas import Rendered
from fairground.verticals.loader import load_verticals
from fairground.web.assets import Assets
from fairground.web.rendering import build_environment
from tests.support.held_flights import HeldFlights
from tests.support.processes import write_output_to
from tests.support.templates import compile_templates_once

# Imported here: every server is forked from this process.
compile_templates_once()
build_environment(Assets(), verticals=load_verticals())


@dataclass(frozen=True)
class FailPoint:
    """A place in the program at which its process is killed."""

    name: str
    module: str
    function: str
    """`function`, or `Class.method`; a coroutine."""
    when: Literal["before", "after"]
    nth: int = 1
    """At which of its calls."""

    def arm(self) -> None:
        *holders, name = self.function.split(".")
        holder: Any = importlib.import_module(self.module)
        for part in holders:
            holder = getattr(holder, part)
        setattr(holder, name, self._deadly(getattr(holder, name)))

    def _deadly(self, function: Callable[..., Any]) -> Callable[..., Any]:
        calls = 0

        async def die(*positional: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            is_here = calls == self.nth
            if is_here and self.when == "before":
                _die()
            result = await function(*positional, **named)
            if is_here:
                _die()
            return result

        return die


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def claim_without_checking() -> None:
    """Switch off, for a negative control, both checks of a hold: for the opening, and for the claim."""
    setattr(time_store, "_overlapping", lambda *_time: [false()])  # noqa: B010 - mypy knows better than we what it may be


def trust_redis_at_once() -> None:
    """Switch off, for a negative control, the question what a Redis has missed while it was away."""
    # Here, because it loads a client that other processes do without.
    from fairground.platform.cache.redis.monitor import ServerMonitor

    begin = ServerMonitor._begin

    def begin_and_trust(monitor: ServerMonitor, run_id: bytes) -> None:
        begin(monitor, run_id)
        monitor.state = LevelState.ON

    setattr(ServerMonitor, "_begin", begin_and_trust)  # noqa: B010 - mypy knows better than we what it may be
    setattr(ServerMonitor, "invalidation_missed", lambda _monitor: None)  # noqa: B010 - the same


class NoLocks:
    """Replaces the locks on variants by none: no request waits for another."""

    def setdefault(self, _key: str, lock: asyncio.Lock) -> asyncio.Lock:
        return lock


def disable_image_single_flight() -> None:
    """Switch off, for a negative control, that requests for the same variant share one rendering."""
    render = Renderer.render

    async def render_alone(renderer: Renderer, _source: str, *arguments: Any) -> Rendered:
        return await render(renderer, str(uuid4()), *arguments)

    setattr(renditions, "WeakValueDictionary", NoLocks)  # noqa: B010 - mypy knows better than we what it may be
    setattr(Renderer, "render", render_alone)  # noqa: B010 - the same


def lose_memory_with_each_picture(lost_bytes: int) -> None:
    """Keep, for a negative control, some bytes of each rendering for ever."""
    render, lost = Renderer.render, []

    async def render_and_lose(renderer: Renderer, *arguments: Any) -> Rendered:
        lost.append(random.randbytes(lost_bytes))
        return await render(renderer, *arguments)

    setattr(Renderer, "render", render_and_lose)  # noqa: B010 - mypy knows better than we what it may be


@dataclass(frozen=True)
class SlowAnswers:
    """Delays the computations of the cache, and records which process began each of them."""

    folder: Path

    def arm(self) -> None:
        compute = ResponseComputer.compute

        async def compute_slowly(computer: ResponseComputer, request: CacheRequest) -> ComputedResponse:
            with self._record.open("a") as file:
                file.write(f"{os.getpid()}\n")
            await asyncio.sleep(float(self._seconds.read_text()))
            return await compute(computer, request)

        setattr(ResponseComputer, "compute", compute_slowly)  # noqa: B010 - mypy knows better than we what it may be

    def begin(self, *, seconds: float) -> None:
        """Delay computations by `seconds` from now on, and clear the record."""
        self._seconds.write_text(str(seconds))
        self._record.write_text("")

    def processes(self) -> list[int]:
        """Return the ids of the processes that began a computation, in order."""
        return [int(line) for line in self._record.read_text().split()]

    @property
    def _record(self) -> Path:
        return self.folder / "computations"

    @property
    def _seconds(self) -> Path:
        return self.folder / "computation-seconds"


def run(
    arguments: list[str],
    *,
    environment: Mapping[str, str],
    log: Path,
    fail_point: FailPoint | None = None,
    has_question: bool = True,
    slow_answers: SlowAnswers | None = None,
    held_flights: HeldFlights | None = None,
    has_patience: bool = True,
    has_turns: bool = True,
    lost_bytes: int = 0,
    umask: int | None = None,
    descriptors_max: int = 0,
) -> None:
    """Be `fairground …` with exactly these settings."""
    write_output_to(log)
    if umask is not None:
        os.umask(umask)
    if descriptors_max:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors_max, descriptors_max))
    for name in [name for name in os.environ if name.startswith(("FAIRGROUND_", "SQLALCHEMY_"))]:
        del os.environ[name]
    os.environ.update(environment)
    if fail_point is not None:
        fail_point.arm()
    if slow_answers is not None:
        slow_answers.arm()
    if held_flights is not None:
        held_flights.arm()
    if not has_patience:
        trust_redis_at_once()
    if not has_turns:
        disable_image_single_flight()
    if lost_bytes:
        lose_memory_with_each_picture(lost_bytes)
    if not has_question:
        claim_without_checking()
    sys.argv = ["fairground", *arguments]
    main()

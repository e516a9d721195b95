"""The metrics of this process for Prometheus, at a port of their own, which visitors cannot reach.

Loaded only where FAIRGROUND_METRICS_PORT is set.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import structlog
from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    make_wsgi_app,
    start_http_server,
)
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.shared_level import LevelState
from fairground.platform.db.database import Database
from fairground.platform.db.dialect.base import DatabaseUnavailable
from fairground.platform.http.cache_control import UNSTORED
from fairground.platform.http.request_counter import RequestStats
from fairground.platform.jobs.queues import QueueDepths, measure_queues
from fairground.platform.jobs.stats import JobStats
from fairground.platform.measures import BOUNDS_SECONDS, Counted, DurationHistogram, Gauged, Labels, Measure

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_SAMPLE_SECONDS: Final = 1.0
_SAMPLES_PER_QUEUE_COUNT: Final = 15  # the database is queried less often than Prometheus queries us

log = structlog.get_logger()


@dataclass(frozen=True)
class Sources:
    """The parts of the process that count."""

    db: Database
    requests: RequestStats
    jobs: JobStats
    cache: ResponseCache
    measures: Sequence[Callable[[], Iterable[Measure]]] = ()
    """The measures of modules."""


class Metrics(Collector):
    """Collects every metric. Prometheus is served in a thread of its own, so mutable counters are copied first."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._lag = DurationHistogram()
        self._queues: QueueDepths | None = None

    @asynccontextmanager
    async def shown_at(self, host: str, port: int) -> AsyncIterator[int]:
        """Serve Prometheus while the block runs, and yield the port; 0 takes a free one.

        Raises:
            OSError: The address cannot be taken.
        """
        registry = CollectorRegistry()
        for collector in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR, self):
            registry.register(collector)
        server, thread = start_http_server(port, addr=host, registry=registry)
        server.set_app(_unstored(make_wsgi_app(registry)))
        try:
            async with asyncio.TaskGroup() as group:
                sampling = group.create_task(self._sample())
                try:
                    yield server.server_port
                finally:
                    sampling.cancel()
        finally:
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join()

    async def _sample(self) -> None:
        """Measure the values that have no counter: the lag of the event loop, the length of the queues."""
        loop = asyncio.get_running_loop()
        samples = 0
        while True:
            if samples % _SAMPLES_PER_QUEUE_COUNT == 0:
                try:
                    self._queues = await measure_queues(self._sources.db)
                except DatabaseUnavailable:
                    self._queues = None  # no number rather than an old one
            samples += 1
            due_at = loop.time() + _SAMPLE_SECONDS
            await asyncio.sleep(_SAMPLE_SECONDS)
            self._lag.add(max(0.0, loop.time() - due_at))

    def collect(self) -> Iterator[Metric]:
        yield from self._requests()
        yield from self._database()
        yield from self._jobs()
        yield from self._cache()
        for measures in self._sources.measures:
            yield from map(_family, measures())
        yield _histogram("event_loop_lag_seconds", "Delay of the event loop.", [((), self._lag)])

    def _requests(self) -> Iterator[Metric]:
        stats = self._sources.requests
        yield _counter(
            "http_requests",
            "Requests answered by routes. Requests answered by the cache are counted separately.",
            labels=("method", "route", "status"),
            counts=[((method, route, str(status)), n) for (method, route, status), n in list(stats.answered.items())],
        )
        yield _histogram(
            "http_request_duration_seconds",
            "Time to answer a request, to the last byte.",
            [((route,), durations) for route, durations in list(stats.durations.items())],
            labels=("route",),
        )
        meaning = "Immutable responses served from memory, such as pictures; included in the requests."
        yield _counter("http_requests_repeated", meaning, counts=[((), stats.repeated)])
        yield _gauge("http_requests_under_way", "Requests in progress.", stats.under_way)

    def _database(self) -> Iterator[Metric]:
        db = self._sources.db
        connections = db.backend.connections()
        yield _histogram("database_statement_duration_seconds", "Statements.", [((), db.statements.durations)])
        yield _histogram(
            "database_wait_seconds",
            "Time transactions waited to begin: for a connection, or for their turn to write.",
            [((kind,), durations) for kind, durations in db.waits.items()],
            labels=("kind",),
        )
        yield _gauge("database_connections_in_use", "Database connections in use.", connections.in_use)
        yield _gauge("database_connections_max", "Maximum database connections.", connections.most)

    def _jobs(self) -> Iterator[Metric]:
        stats = self._sources.jobs
        yield _counter(
            "jobs",
            "Job runs by outcome: done, discarded, superseded, retried, dead or lost.",
            labels=("kind", "outcome"),
            counts=list(stats.ended.items()),
        )
        yield _histogram(
            "job_duration_seconds",
            "Duration of job runs.",
            [((kind,), durations) for kind, durations in list(stats.durations.items())],
            labels=("kind",),
        )
        yield _counter("jobs_reaped", "Jobs taken over from workers without a heartbeat.", counts=[((), stats.rescued)])
        depths = self._queues
        for name, meaning in (
            ("due", "Jobs waiting for a worker."),
            ("oldest_due_seconds", "Age of the oldest waiting job."),
            ("dead", "Dead jobs, without attempts left; see `fairground jobs list`."),
        ):
            yield _gauge(f"jobs_{name}", meaning, getattr(depths, name, None))
        by_queue = depths.queues if depths is not None else {}
        for name, meaning in (
            ("due", "Jobs of a queue waiting for a worker."),
            ("oldest_due_seconds", "Age of the oldest waiting job."),
        ):
            family = GaugeMetricFamily(f"fairground_jobs_queue_{name}", meaning, labels=("queue",))
            for queue, depth in by_queue.items():
                family.add_metric((queue.value,), float(getattr(depth, name)))
            yield family

    def _cache(self) -> Iterator[Metric]:
        cache, stats = self._sources.cache, self._sources.cache.stats
        yield _counter(
            "cache_served",
            "Requests to cached routes by result: HIT, MISS, STALE or BYPASS.",
            labels=("route", "how"),
            counts=list(stats.served.items()),
        )
        for name, meaning, counted in (
            ("not_modified", "304 Not Modified responses.", stats.not_modified),
            ("collapsed", "Requests that waited for another request's computation.", stats.collapsed),
            ("computed", "Computations.", stats.computed),
            ("failed", "Computations that failed.", stats.failed),
            ("shared_hits", "Hits of entries computed by another process.", stats.shared_hits),
        ):
            counts = [((route,), count) for route, count in list(counted.items())]
            yield _counter(f"cache_{name}", meaning, labels=("route",), counts=counts)
        yield _counter(
            "cache_refreshed",
            "Computations in the background.",
            labels=("route", "why"),
            counts=list(stats.refreshed.items()),
        )
        for name, meaning, count in (
            ("shared_failures", "Failures of the shared level.", stats.shared_failures),
            ("damaged", "Unreadable entries of the shared level.", stats.damaged),
            ("renewed_tags", "Tags invalidated by changes.", stats.invalidated_tags),
            ("evictions", "Entries evicted from memory.", cache.memory.evictions),
        ):
            yield _counter(f"cache_{name}", meaning, counts=[((), count)])
        yield _gauge("cache_memory_bytes", "Memory used by cached responses.", cache.memory.bytes)
        yield _gauge("cache_memory_max_bytes", "Memory limit of cached responses.", cache.memory.most_bytes)
        meaning = "1 for the current state of the shared level, if there is one."
        family = GaugeMetricFamily("fairground_cache_level", meaning, labels=("state",))
        for state in LevelState if cache.level is not None else ():
            family.add_metric((state.value,), float(cache.level is not None and cache.level.state is state))
        yield family


def _unstored(app: "WSGIApplication") -> "WSGIApplication":
    """Return the application with `Cache-Control: private, no-store`: an old figure is a wrong figure."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            return start_response(status, [*headers, ("Cache-Control", UNSTORED)], *error)

        return app(environ, start)

    return answer


def _family(measure: Measure) -> Metric:
    match measure:
        case Counted():
            return _counter(measure.name, measure.meaning, labels=measure.labels, counts=measure.counts)
        case Gauged():
            return _gauge(measure.name, measure.meaning, measure.value)
        case _:
            return _histogram(measure.name, measure.meaning, measure.durations, labels=measure.labels)


def _counter(
    name: str, meaning: str, *, labels: Sequence[str] = (), counts: Iterable[tuple[Labels, float]]
) -> CounterMetricFamily:
    family = CounterMetricFamily(f"fairground_{name}", meaning, labels=labels)
    for values, count in counts:
        family.add_metric(values, count)
    return family


def _gauge(name: str, meaning: str, value: float | None) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fairground_{name}", meaning, value=value)


def _histogram(
    name: str, meaning: str, measured: Iterable[tuple[Labels, DurationHistogram]], *, labels: Sequence[str] = ()
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"fairground_{name}", meaning, labels=labels)
    bounds = [*map(str, BOUNDS_SECONDS), "+Inf"]
    for values, durations in measured:
        buckets = list(zip(bounds, accumulate(list(durations.counts)), strict=True))
        family.add_metric(values, buckets, durations.sum_seconds)
    return family

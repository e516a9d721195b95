"""What Prometheus reads of a process: every part of it, under names that do not grow with the traffic."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from fairground.kernel.messages import Queue
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import LocalTags
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.database import Database
from fairground.platform.http.request_counter import RequestStats
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.jobs.outbox import JobOutbox, Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.stats import JobStats
from fairground.platform.jobs.worker import Worker
from fairground.platform.metrics import Metrics, Sources
from tests.platform.jobs.shop import CountStock, PackOrder, Shop, enqueue
from tests.support.scraping import labelled, read
from tests.support.waiting import until


@pytest.fixture
async def working(migrated_url: str) -> AsyncIterator[tuple[Database, Shop, Worker]]:
    shop, routes = Shop(), Routes()
    routes.add("shop", handlers={CountStock: shop.take, PackOrder: shop.take})
    outbox = JobOutbox(routes)
    db = Database(migrated_url, outbox=outbox)
    yield db, shop, Worker(db=db, outbox=outbox, schedules=[], settings=JobSettings(poll_seconds=0.05))
    await db.close()


def a_cache() -> ResponseCache:
    return ResponseCache(CacheSettings(), tags=LocalTags(), stats=CacheStats(), level=None, is_alone=True)


def metrics_of(db: Database, requests: RequestStats, jobs: JobStats, cache: ResponseCache) -> Metrics:
    measures = [Renderer(ImageSettings()).measure]
    return Metrics(Sources(db=db, requests=requests, jobs=jobs, cache=cache, measures=measures))


async def test_every_part_of_a_process_is_shown(working: tuple[Database, Shop, Worker]) -> None:
    db, shop, worker = working
    shop.raises.append(ValueError("once"))
    await enqueue(db, CountStock())
    requests = RequestStats()
    requests.answered["GET", "/api/v1/artists", 200] += 3
    for seconds in (0.0005, 0.003, 20.0):
        requests.durations["/api/v1/artists"].add(seconds)
    async with worker.running():
        await until(lambda: worker.stats.ended["shop:shop.count_stock.v1", "retried"] == 1)
    cache = a_cache()
    cache.stats.served["catalog.list", "HIT"] += 5
    async with metrics_of(db, requests, worker.stats, cache).shown_at("127.0.0.1", 0) as port:
        await asyncio.sleep(1.1)  # the first look at the event loop
        shown = await read(port)
    assert shown[labelled("http_requests_total", method="GET", route="/api/v1/artists", status="200")] == 3
    buckets = {
        le: shown[labelled("http_request_duration_seconds_bucket", route="/api/v1/artists", le=le)]
        for le in ("0.001", "0.005", "10.0", "+Inf")
    }
    assert buckets == {"0.001": 1, "0.005": 2, "10.0": 2, "+Inf": 3}
    assert shown[labelled("http_request_duration_seconds_sum", route="/api/v1/artists")] == pytest.approx(20.0035)
    assert shown[labelled("jobs_total", kind="shop:shop.count_stock.v1", outcome="retried")] == 1
    assert shown[labelled("job_duration_seconds_count", kind="shop:shop.count_stock.v1")] == 1
    assert shown[labelled("jobs_due")] == 0
    assert {queue: shown[labelled("jobs_queue_due", queue=queue)] for queue in Queue} == dict.fromkeys(Queue, 0)
    assert shown[labelled("jobs_queue_oldest_due_seconds", queue="mail")] == 0
    assert shown[labelled("database_statement_duration_seconds_count")] > 0
    assert shown[labelled("database_wait_seconds_count", kind="write")] > 0
    assert shown[labelled("database_connections_max")] >= 5
    assert shown[labelled("cache_served_total", route="catalog.list", how="HIT")] == 5
    assert shown[labelled("cache_memory_max_bytes")] == 64 * 1024 * 1024
    assert shown[labelled("event_loop_lag_seconds_count")] >= 1
    assert shown[labelled("process_resident_memory_bytes")] > 0


async def test_the_port_is_free_again_afterwards(working: tuple[Database, Shop, Worker]) -> None:
    db, _, _ = working
    metrics = metrics_of(db, RequestStats(), JobStats(), a_cache())
    async with metrics.shown_at("127.0.0.1", 0) as port:
        pass
    async with metrics.shown_at("127.0.0.1", port) as again:
        assert again == port
    with pytest.raises(OSError, match="assign"):
        async with metrics.shown_at("192.0.2.7", 0):
            pass

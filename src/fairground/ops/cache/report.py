"""The counters of the cache of one process, for staff."""

import os

from pydantic import BaseModel, ConfigDict

from fairground.platform.cache.cache import CacheStatus, ResponseCache


class RouteReport(BaseModel):
    """Requests of one route since the start of the process, by their `X-Cache`, and the computations for them."""

    model_config = ConfigDict(frozen=True)

    route: str
    hit: int
    miss: int
    stale: int
    bypass: int
    not_modified: int
    collapsed: int
    """Misses that waited for the computation of another request."""
    computed: int
    failed: int
    refreshed: int
    """Computations in the background, while the stored entry was served."""
    shared_hits: int
    """Hits of entries that another process had stored."""
    hit_ratio: float
    """Share of requests served from the cache, without counting bypasses: 0 to 1."""


class CacheReport(BaseModel):
    model_config = ConfigDict(frozen=True)

    process: int
    entries: int
    memory_bytes: int
    memory_most_bytes: int
    evictions: int
    shared: str
    """State of the shared level: `none`, `on`, `settling`, or `off` with the reason."""
    shared_failures: int
    damaged: int
    renewed_tags: int
    routes: list[RouteReport]


def read_report(cache: ResponseCache) -> CacheReport:
    stats, memory = cache.stats, cache.memory
    names = sorted({route for route, _ in stats.served})
    return CacheReport(
        process=os.getpid(),
        entries=len(memory),
        memory_bytes=memory.bytes,
        memory_most_bytes=memory.most_bytes,
        evictions=memory.evictions,
        shared="none" if cache.level is None else cache.level.describe(),
        shared_failures=stats.shared_failures,
        damaged=stats.damaged,
        renewed_tags=stats.invalidated_tags,
        routes=[_of_route(cache, name) for name in names],
    )


def _of_route(cache: ResponseCache, route: str) -> RouteReport:
    stats = cache.stats
    hit, miss, stale, bypass = (
        stats.served[route, status]
        for status in (CacheStatus.HIT, CacheStatus.MISS, CacheStatus.STALE, CacheStatus.BYPASS)
    )
    return RouteReport(
        route=route,
        hit=hit,
        miss=miss,
        stale=stale,
        bypass=bypass,
        not_modified=stats.not_modified[route],
        collapsed=stats.collapsed[route],
        computed=stats.computed[route],
        failed=stats.failed[route],
        refreshed=sum(count for (name, _), count in stats.refreshed.items() if name == route),
        shared_hits=stats.shared_hits[route],
        hit_ratio=round((hit + stale) / max(1, hit + stale + miss), 4),
    )

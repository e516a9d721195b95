"""Builds the program from its settings: every module, in an order in which each finds those that it calls."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.types import ASGIApp

from fairground.contracts.payments import Payments
from fairground.entrypoints.environment import explain
from fairground.entrypoints.settings import MODULES, Risk, Settings, SettingsError
from fairground.entrypoints.storage import open_store
from fairground.kernel.zones import SystemClock
from fairground.ops.administration import module as administration
from fairground.ops.cache import module as caching
from fairground.ops.images import module as images
from fairground.platform import shared_tables
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import InvalidateTags, Invalidation, JobBacklog, LocalTags
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.shared_level import SharedLevel
from fairground.platform.cache.stats import CacheStats
from fairground.platform.db.common.idempotency import mark_effective
from fairground.platform.db.common.rate_limits import RateLimiter
from fairground.platform.db.database import Database
from fairground.platform.db.history import History
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Authenticator
from fairground.platform.http.outbound import module as outbound
from fairground.platform.http.outbound.client import OutboundSettings
from fairground.platform.http.request_counter import RequestStats
from fairground.platform.http.security import SessionCookie
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.jobs.outbox import JobOutbox, Routes, UnknownQueue
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.worker import Worker
from fairground.platform.mail.mailer import open_mailer
from fairground.platform.module import Links, Module
from fairground.platform.settings import SettingsSource
from fairground.platform.storage import module as storage
from fairground.platform.storage.orphans import OrphanCollector
from fairground.platform.storage.settings import StorageSettings
from fairground.runtime import Runtime
from fairground.verticals.loader import Verticals, load_verticals
from fairground.web.content_security import MapTiles
from fairground.web.pages import build_pages

_MAILING: Final = "notifications"


@dataclass(frozen=True)
class Program:
    """Everything that one process consists of. `links` has an implementation of every contract."""

    settings: Settings
    runtime: Runtime
    links: Links
    modules: Sequence[Module]
    worker: Worker
    collector: OrphanCollector
    requests: RequestStats

    @property
    def db(self) -> Database:
        return self.runtime.db

    @property
    def cache(self) -> ResponseCache:
        return self.runtime.cache

    @property
    def verticals(self) -> Verticals:
        return self.runtime.verticals

    @property
    def histories(self) -> list[History]:
        return [module.history for module in self.modules if module.history is not None]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the modules, the renderer, the cache and the worker while the block runs."""
        async with AsyncExitStack() as ends:
            ends.push_async_callback(self.db.close)
            for module in self.modules:
                if module.stop is not None:
                    ends.push_async_callback(module.stop)
                if module.start is not None:
                    await module.start()
            await ends.enter_async_context(self.runtime.renderer.running())
            await ends.enter_async_context(self.cache.running())
            await ends.enter_async_context(self.worker.running())
            yield

    @property
    def api(self) -> list[APIRouter]:
        return [router for module in self.modules for router in module.routers]

    @property
    def pages(self) -> Sequence[APIRouter]:
        settings = self.settings
        of_modules = [router for module in self.modules for router in module.pages]
        # Before the pages: their last route answers every path that no other route has.
        pages = build_pages(
            self.runtime,
            self.links,
            pictures_dir=settings.pictures_dir,
            texts_dir=settings.texts_dir,
            mail_dir=settings.mail_dir if not settings.smtp_url and settings.allows(Risk.MAIL_PAGE) else None,
            map_tiles=MapTiles(settings.map_tiles_url, settings.map_attribution) if settings.map_tiles_url else None,
        )
        return [*of_modules, *pages]

    def build_app(self) -> ASGIApp:
        """Return the application to serve.

        Raises:
            SettingsError: Others could reach it, and FAIRGROUND_ALLOW does not name a risk of that.
        """
        if self.links.of(Payments).is_sandbox and not self.settings.allows(Risk.SANDBOX_MONEY):
            raise SettingsError(
                f"Payments run in the sandbox, and others can reach {self.settings.address}. Set "
                f"FAIRGROUND_PAYMENTS_STRIPE_API_KEY and …_STRIPE_WEBHOOK_SECRET for real payments, or "
                f"FAIRGROUND_ALLOW={Risk.SANDBOX_MONEY} to accept test payments."
            )
        return create_app(
            db=self.db,
            authenticator=self.links.of(Authenticator),
            api=self.api,
            pages=self.pages,
            public_url=self.settings.address,
            cache=self.cache,
            requests=self.requests,
        )


def compose(
    settings: Settings, *, is_secondary: bool = False, is_silent: bool = False, modules: Sequence[str] = MODULES
) -> Program:
    """Build the program; nothing runs and nothing is connected yet.

    Args:
        is_secondary: True for a command that may run beside a server.
        is_silent: True where changes send no notifications and invalidate no caches, as for the demo.
        modules: Packages to build, in this order; each has a `module.py` with `build(runtime, links)`.

    Raises:
        SettingsError: A module's setting cannot be used, or a module names an unknown queue.
        DatabaseURLError, MailURLError, PackError: As their names say.
    """
    try:
        return _compose(settings, is_secondary=is_secondary, is_silent=is_silent, names=modules)
    except ValidationError as error:
        raise explain(error) from None
    except UnknownQueue as error:
        raise SettingsError(str(error)) from None


def _compose(settings: Settings, *, is_secondary: bool, is_silent: bool, names: Sequence[str]) -> Program:
    source, routes, links = SettingsSource(), Routes(), Links()
    outbox = JobOutbox(routes)
    db = Database(
        settings.database,
        outbox=outbox,
        guards=[mark_effective],
        pool_size=settings.database_pool_size,
        slow_seconds=settings.database_slow_seconds,
        is_secondary=is_secondary,
    )
    cache, invalidation = _build_cache(settings, db, source.of(CacheSettings), is_silent=is_silent)
    runtime = _build_runtime(settings, source, db=db, cache=cache)
    modules = [shared_tables.build_common(db), shared_tables.build_jobs(db)]
    for name in names:
        module: Module = import_module(f"{name}.module").build(runtime, links)
        modules.append(module)
    collector = _build_collector(runtime, modules)
    namespace = source.of(CacheSettings).namespace
    modules += [
        storage.build(runtime.files, collector, incoming_dir=runtime.incoming_dir),
        outbound.build(runtime.outbound),
        caching.build(cache, invalidation, db=db, links=links, redis_url=settings.redis_url, namespace=namespace),
        images.build(links),
        administration.build(cache, db=db, limiter=runtime.limiter, links=links),
    ]
    for module in modules:
        if not (is_silent and module.name == _MAILING):
            routes.add(module.name, handlers=module.handlers, queue=module.queue, projections=module.projections)
    schedules = [schedule for module in modules for schedule in module.schedules]
    return Program(
        settings=settings,
        runtime=runtime,
        links=links,
        modules=modules,
        worker=Worker(db=db, outbox=outbox, schedules=schedules, settings=source.of(JobSettings)),
        collector=collector,
        requests=RequestStats(),
    )


def _build_runtime(settings: Settings, source: SettingsSource, *, db: Database, cache: ResponseCache) -> Runtime:
    return Runtime(
        db=db,
        clock=SystemClock(),
        limiter=RateLimiter(db),
        mailer=open_mailer(settings.smtp_url, sender=settings.mail_from, folder=settings.mail_dir),
        files=open_store(source.of(StorageSettings), data_dir=settings.data_dir),
        renderer=Renderer(source.of(ImageSettings)),
        cache=cache,
        verticals=load_verticals(extra_dir=settings.verticals_dir),
        settings=source,
        cookie=SessionCookie(public_url=settings.address),
        public_url=settings.address,
        mail_from=settings.mail_from,
        outbound=outbound.open_client(source.of(OutboundSettings), public_url=settings.address),
        data_dir=settings.data_dir,
    )


def _build_collector(runtime: Runtime, modules: Sequence[Module]) -> OrphanCollector:
    return OrphanCollector(
        runtime.files,
        referrers=[referrer for module in modules for referrer in module.referrers],
        grace_of=runtime.settings.of(StorageSettings).grace_of,
        clock=runtime.clock,
    )


def _build_cache(
    settings: Settings, db: Database, cache_settings: CacheSettings, *, is_silent: bool
) -> tuple[ResponseCache, Invalidation]:
    """Build the response cache, and let transactions of the database invalidate its tags."""
    tags, stats = LocalTags(), CacheStats()
    level = _build_level(db, settings.redis_url, namespace=cache_settings.namespace) if settings.redis_url else None
    invalidation = Invalidation(tags, level=level, stats=stats)
    # A database that is a file has one server, which also runs the jobs that commands enqueue. Servers may share any
    # other database, and get invalidations of each other through the shared level alone.
    is_alone = db.backend.file is not None
    if (is_alone or level is not None) and not is_silent:
        db.invalidation = invalidation
    return ResponseCache(cache_settings, tags=tags, stats=stats, level=level, is_alone=is_alone), invalidation


def _build_level(db: Database, redis_url: str, *, namespace: str) -> SharedLevel:
    # Imported here: most installations have no Redis, and its client is larger than the whole cache.
    from fairground.platform.cache.redis.level import RedisLevel

    backlog = JobBacklog(db, kind=f"{caching.NAME}:{InvalidateTags.topic}")
    try:
        return RedisLevel(redis_url, namespace=namespace, backlog=backlog)
    except ValueError as error:
        raise SettingsError(
            f"FAIRGROUND_REDIS_URL is not valid: {error}. Use redis://host:6379/0 or rediss://host:6379/0."
        ) from None

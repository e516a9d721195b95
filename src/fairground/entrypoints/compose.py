"""Put the program together: settings in, modules built in the order in which they may ask each other."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fastapi import APIRouter
from pydantic import ValidationError
from starlette.types import ASGIApp

from fairground.contracts.catalog import Catalog
from fairground.entrypoints.environment import explain
from fairground.entrypoints.settings import Risk, Settings, SettingsError
from fairground.entrypoints.storing import open_store
from fairground.kernel.clock import SystemClock
from fairground.modules.accounts import wiring as accounts
from fairground.modules.booking import wiring as booking
from fairground.modules.catalog import wiring as catalog
from fairground.modules.imports import wiring as imports
from fairground.modules.media import wiring as pictures
from fairground.modules.notifications import wiring as notifications
from fairground.modules.payments import wiring as payments
from fairground.modules.payments.settings import PaymentsSettings
from fairground.modules.reviews import wiring as reviews
from fairground.ops.caching import http as ops_caching
from fairground.platform import upkeep
from fairground.platform.cache.backlog import JobBacklog
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.invalidation import Invalidation, RenewTags
from fairground.platform.cache.levels import SharedLevel
from fairground.platform.cache.settings import CacheSettings
from fairground.platform.cache.stats import CacheStats
from fairground.platform.cache.tags import LocalTags
from fairground.platform.db.common.idempotency import mark_effective
from fairground.platform.db.database import Database
from fairground.platform.db.history import History
from fairground.platform.http.app import create_app
from fairground.platform.http.cookies import SessionCookie
from fairground.platform.http.counting import RequestStats
from fairground.platform.http.identity import Authenticator
from fairground.platform.images.renderer import Renderer
from fairground.platform.images.settings import ImageSettings
from fairground.platform.images.stats import PictureStats
from fairground.platform.jobs import wiring as jobs
from fairground.platform.jobs.outbox import JobOutbox
from fairground.platform.jobs.routes import Routes
from fairground.platform.jobs.settings import JobSettings
from fairground.platform.jobs.worker import Worker
from fairground.platform.links import Links
from fairground.platform.mail import open_mailer
from fairground.platform.module import Module, Schedule
from fairground.platform.ratelimit import RateLimiter
from fairground.platform.storage import http as stored_files
from fairground.platform.storage.orphans import CollectOrphans, OrphanCollector
from fairground.platform.storage.settings import StorageSettings
from fairground.platform.storage.store import Store
from fairground.verticals.loader import Verticals, load_verticals
from fairground.web import wiring as web
from fairground.web.maps import MapTiles
from fairground.web.uploads import PictureForms

CACHE_CONSUMER: Final = "cache"
STORAGE_CONSUMER: Final = "storage"


@dataclass(frozen=True)
class Program:
    """Everything that one process is made of. `links` answers every contract."""

    settings: Settings
    verticals: Verticals
    db: Database
    links: Links
    modules: Sequence[Module]
    worker: Worker
    cache: ResponseCache
    store: Store
    collector: OrphanCollector
    renderer: Renderer
    picture_stats: PictureStats
    picture_forms: PictureForms
    requests: RequestStats
    authenticator: Authenticator
    cookie: SessionCookie

    @property
    def histories(self) -> list[History]:
        return [module.history for module in self.modules]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run what goes on by itself, jobs included, while the block runs."""
        async with AsyncExitStack() as ends:
            ends.push_async_callback(self.db.close)
            ends.push_async_callback(self.store.close)
            for module in self.modules:
                if module.stop is not None:
                    ends.push_async_callback(module.stop)
                if module.start is not None:
                    await module.start()
            await ends.enter_async_context(self.renderer.running())
            await ends.enter_async_context(self.cache.running())
            await ends.enter_async_context(self.worker.running())
            yield

    @property
    def api(self) -> list[APIRouter]:
        caching = ops_caching.routes(self.cache, db=self.db, catalog=self.links.of(Catalog))
        return [*(router for module in self.modules for router in module.routers), caching]

    @property
    def pages(self) -> Sequence[APIRouter]:
        settings = self.settings
        files = stored_files.routes(self.store, spool=settings.incoming_dir)
        pages = web.build(
            self.links,
            verticals=self.verticals,
            cookie=self.cookie,
            public_url=settings.address,
            pictures_dir=settings.pictures_dir,
            mail_dir=settings.mail_dir if not settings.smtp_url and settings.allows(Risk.MAIL_PAGE) else None,
            has_test_money=PaymentsSettings().is_sandbox,
            picture_forms=self.picture_forms,
            map_tiles=MapTiles(settings.map_tiles_url, settings.map_attribution) if settings.map_tiles_url else None,
            cdn_url=StorageSettings().cdn_url,
            upload_origin=self.store.upload_origin,
        )
        # Before the pages, the last of which answers what no other does.
        return [files, *pages]

    def build_app(self) -> ASGIApp:
        """Return the application to serve.

        Raises:
            SettingsError: Others could reach it, and a risk that this brings is not taken knowingly.
        """
        if PaymentsSettings().is_sandbox and not self.settings.allows(Risk.SANDBOX_MONEY):
            raise SettingsError(
                f"Payments are the sandbox's, and {self.settings.address} can be reached by others. Set"
                " FAIRGROUND_PAYMENTS_STRIPE_API_KEY and …_STRIPE_WEBHOOK_SECRET for real money, or"
                f" FAIRGROUND_ALLOW={Risk.SANDBOX_MONEY} to let people pay with nothing."
            )
        return create_app(
            db=self.db,
            authenticator=self.authenticator,
            api=self.api,
            pages=self.pages,
            public_url=self.settings.address,
            cache=self.cache,
            requests=self.requests,
        )


def compose(settings: Settings, *, is_guest: bool = False, tells_nobody: bool = False) -> Program:
    """Build the program; nothing runs and nothing is connected yet.

    Args:
        is_guest: True for a command that may run beside a server.
        tells_nobody: True where nobody shall get mail about what is done, nor caches be voided, as for the demo.

    Raises:
        SettingsError: A module's setting cannot be used.
        DatabaseURLError, MailURLError, PackError: As their names say.
    """
    try:
        return _compose(settings, is_guest=is_guest, tells_nobody=tells_nobody)
    except ValidationError as error:
        raise explain(error) from None


def _compose(settings: Settings, *, is_guest: bool, tells_nobody: bool) -> Program:
    job_settings, routes, links = JobSettings(), Routes(), Links()
    outbox = JobOutbox(routes)
    db = Database(
        settings.database,
        outbox=outbox,
        guards=[mark_effective],
        pool_size=settings.database_pool_size,
        slow_seconds=settings.database_slow_seconds,
        is_guest=is_guest,
    )
    cache = _build_cache(db, routes, redis_url=settings.redis_url, tells_nobody=tells_nobody)
    verticals = load_verticals(extra_dir=settings.verticals_dir)
    cookie = SessionCookie(public_url=settings.address)
    files = _build_files(settings, db, links)
    modules, authenticator = _build_modules(settings, db, links, verticals, cookie, media=files.module)
    for module in modules:
        if not (tells_nobody and module.name == "notifications"):
            routes.add(module.name, handlers=module.handlers)
    routes.add(STORAGE_CONSUMER, handlers={CollectOrphans: files.collector.on_collect_orphans})
    schedules = [schedule for module in modules for schedule in module.schedules]
    schedules.append(Schedule(CollectOrphans(), every=timedelta(hours=1)))
    return Program(
        settings=settings,
        verticals=verticals,
        db=db,
        links=links,
        modules=modules,
        worker=Worker(db=db, outbox=outbox, schedules=schedules, settings=job_settings),
        cache=cache,
        store=files.store,
        collector=files.collector,
        renderer=files.renderer,
        picture_stats=files.stats,
        picture_forms=files.picture_forms,
        requests=RequestStats(),
        authenticator=authenticator,
        cookie=cookie,
    )


def _build_cache(db: Database, routes: Routes, *, redis_url: str, tells_nobody: bool) -> ResponseCache:
    """Build the response cache, and let the database's writes void what they make untrue."""
    settings, tags, stats = CacheSettings(), LocalTags(), CacheStats()
    level = _build_level(db, redis_url, namespace=settings.namespace) if redis_url else None
    invalidation = Invalidation(tags, level=level, stats=stats)
    routes.add(CACHE_CONSUMER, handlers={RenewTags: invalidation.on_renew_tags})
    # A database that is a file has one server, which also does the jobs that others leave. Beside any other one there
    # may be servers that nobody tells what was changed here.
    is_alone = db.backend.file is not None
    if (is_alone or level is not None) and not tells_nobody:
        db.renewals = invalidation
    return ResponseCache(settings, tags=tags, stats=stats, level=level, is_alone=is_alone)


def _build_level(db: Database, redis_url: str, *, namespace: str) -> SharedLevel:
    # Here, because most installations do without a client that is larger than all of the cache.
    from fairground.platform.cache.redis.level import RedisLevel

    backlog = JobBacklog(db, kind=f"{CACHE_CONSUMER}:{RenewTags.topic}")
    try:
        return RedisLevel(redis_url, namespace=namespace, backlog=backlog)
    except ValueError as error:
        raise SettingsError(
            f"FAIRGROUND_REDIS_URL cannot be used: {error}. Write redis://host:6379/0 or rediss://host:6379/0."
        ) from None


@dataclass(frozen=True)
class _Files:
    """What keeps files, makes pictures of them, and removes those that nobody needs."""

    store: Store
    renderer: Renderer
    stats: PictureStats
    module: Module
    collector: OrphanCollector
    picture_forms: PictureForms


def _build_files(settings: Settings, db: Database, links: Links) -> _Files:
    storage_settings, image_settings = StorageSettings(), ImageSettings()
    store, renderer = open_store(storage_settings, data_dir=settings.data_dir), Renderer(image_settings)
    stats = PictureStats()
    module, referrer, forms = pictures.build(
        db,
        links,
        limiter=RateLimiter(db),
        files=store,
        renderer=renderer,
        spool=settings.incoming_dir,
        upload_max_bytes=image_settings.upload_bytes,
        stats=stats,
        cdn_url=storage_settings.cdn_url,
    )
    collector = OrphanCollector(store, referrers=[referrer], grace_of=storage_settings.grace_of, clock=SystemClock())
    return _Files(store=store, renderer=renderer, stats=stats, module=module, collector=collector, picture_forms=forms)


def _build_modules(
    settings: Settings, db: Database, links: Links, verticals: Verticals, cookie: SessionCookie, *, media: Module
) -> tuple[list[Module], Authenticator]:
    """Build each module after those that it asks: the order in docs/architecture.md."""
    address = settings.address
    mailer = open_mailer(settings.smtp_url, sender=settings.mail_from, folder=settings.mail_dir)
    account_module, authenticator = accounts.build(
        db, links, limiter=RateLimiter(db), mailer=mailer, cookie=cookie, public_url=address
    )
    modules = [
        upkeep.build(db),
        jobs.build(db),
        account_module,
        media,
        catalog.build(db, links, verticals),
        payments.build(db, links, data_dir=settings.data_dir, public_url=address),
        booking.build(db, links, verticals=verticals, public_url=address, organizer=settings.mail_from),
        reviews.build(db, links),
        notifications.build(db, links, mailer=mailer, public_url=address),
        imports.build(db, links),
    ]
    return modules, authenticator

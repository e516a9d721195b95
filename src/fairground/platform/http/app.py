"""The HTTP application: routers, health routes and middleware composed into one ASGI application."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException  # noqa: TID251 - caught here, raised by the framework only
from starlette.routing import Route
from starlette.types import ASGIApp

import fairground
from fairground.kernel.errors import DomainError
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.shared_level import LevelState, SharedLevel
from fairground.platform.db.database import Database
from fairground.platform.db.probes import WriteProbe
from fairground.platform.http import problems
from fairground.platform.http.caching.computation import DirectDispatch
from fairground.platform.http.caching.immutable_responses import ImmutableResponseCache
from fairground.platform.http.caching.middleware import CacheMiddleware
from fairground.platform.http.caching.routes import CachedRoutes
from fairground.platform.http.identity import Authenticator
from fairground.platform.http.methods import HeadAndOptionsMiddleware, PathMethods, TrailingSlashMiddleware
from fairground.platform.http.openapi import describe, operation_id
from fairground.platform.http.page_compression import PageCompression
from fairground.platform.http.request_counter import RequestCounter, RequestStats
from fairground.platform.http.routing import refuse_unknown_parameters
from fairground.platform.http.security import SecurityMiddleware

API_PREFIX: Final = "/api/v1"
BODY_MAX_BYTES: Final = 1024 * 1024  # the largest body is a year of opening hours; pictures come another way
# A processor's webhook comes from another site by nature and proves itself by its signature.
_EXEMPT_FROM_ORIGIN: Final = frozenset({f"{API_PREFIX}/webhooks/stripe"})


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(Health):
    shared_cache: LevelState | None = None
    """None without Redis."""


def create_app(
    *,
    db: Database,
    authenticator: Authenticator,
    api: Sequence[APIRouter],
    pages: Sequence[APIRouter],
    public_url: str,
    cache: ResponseCache | None = None,
    requests: RequestStats | None = None,
) -> ASGIApp:
    """Compose the application: `api` is served under /api/v1 and described in /openapi.json, `pages` at the root.

    With a cache, it serves the routes that declare a policy.
    """
    app = _framework(db, authenticator)
    app.public_url = public_url
    health_routes = _health_routes(db, level=cache.level if cache is not None else None)
    app.include_router(health_routes)
    for router in api:
        app.include_router(router, prefix=API_PREFIX)
    for router in pages:
        app.include_router(router, include_in_schema=False)
    app.described = _described(health_routes, api)
    with_slash = [path for path, _ in list_routes(api, pages) if path.endswith("/")]
    could_be_cached = [(path, route) for path, route in _routes(api, pages) if isinstance(route, APIRoute)]
    own = _own_routes(health_routes, app)
    methods = app.state.methods = PathMethods([*list_routes(api, pages), *own])
    direct = DirectDispatch(
        problems.ProblemMiddleware(app),
        routes=(route for _, route in could_be_cached),
        satisfied=(refuse_unknown_parameters,),
    )
    stats = requests or RequestStats()
    counted = RequestCounter(direct, stats=stats, templates=_templates(api, pages))
    with_slashes = TrailingSlashMiddleware(counted, paths_with_slash=with_slash)
    with_methods = HeadAndOptionsMiddleware(PageCompression(with_slashes), methods=methods)
    security = SecurityMiddleware(with_methods, public_url=public_url, exempt_paths=_EXEMPT_FROM_ORIGIN)
    # Both caches stand before the security middleware: stored responses contain its headers, and are served only to
    # requests for our hosts.
    immutable = ImmutableResponseCache(security, stats=stats)
    if cache is None:
        return immutable
    routes = CachedRoutes(could_be_cached, cache.settings)
    return CacheMiddleware(security, immutable=immutable, cache=cache, routes=routes, public_url=public_url)


class Application(FastAPI):
    """The framework, with a description of the API that is made once, at the first request for it."""

    public_url = ""
    described: Sequence[tuple[str, APIRoute]] = ()
    """The routes of the document, with their whole paths."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = describe(super().openapi(), routes=self.described, public_url=self.public_url)
        return self.openapi_schema


def _framework(db: Database, authenticator: Authenticator) -> Application:
    app = Application(
        title="Fairground",
        version=fairground.__version__,
        # The framework's own page of the API runs a script that is fetched from elsewhere, at our origin.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=BODY_MAX_BYTES,
        generate_unique_id_function=operation_id,
    )
    app.state.db = db
    app.state.authenticator = authenticator
    app.add_exception_handler(DomainError, problems.on_domain_error)
    app.add_exception_handler(RequestValidationError, problems.on_invalid_request)
    app.add_exception_handler(HTTPException, problems.on_http_exception)
    app.add_exception_handler(Exception, problems.on_unexpected_error)
    return app


def _health_routes(db: Database, *, level: SharedLevel | None) -> APIRouter:
    router = APIRouter(tags=["health"])
    probe = WriteProbe(db)

    @router.get("/healthz")
    async def get_health() -> Health:
        """Answer as long as the process runs, without the database."""
        return Health()

    @router.get("/readyz")
    async def get_readiness() -> Readiness:
        """Answer when the database can be read and written; 503 otherwise.

        A write is tried once in 15 s. Without its shared cache a server is slower, but ready.
        """
        await db.ping()
        await probe.check()
        return Readiness(shared_cache=level.state if level is not None else None)

    return router


def _described(health_routes: APIRouter, api: Sequence[APIRouter]) -> list[tuple[str, APIRoute]]:
    of_health = [(route.path, route) for route in health_routes.routes if isinstance(route, APIRoute)]
    return [*of_health, *((path, route) for path, route in _routes(api, []) if isinstance(route, APIRoute))]


def _own_routes(*routers: APIRouter | FastAPI) -> list[tuple[str, Iterable[str]]]:
    return [(each.path, each.methods or ()) for router in routers for each in router.routes if isinstance(each, Route)]


def list_routes(api: Sequence[APIRouter], pages: Sequence[APIRouter]) -> list[tuple[str, list[str]]]:
    """Return every whole path with its methods."""
    return [(path, sorted(route.methods or ())) for path, route in _routes(api, pages)]


def _templates(api: Sequence[APIRouter], pages: Sequence[APIRouter]) -> dict[int, str]:
    return {id(route): path for path, route in _routes(api, pages)}


def _routes(api: Sequence[APIRouter], pages: Sequence[APIRouter]) -> list[tuple[str, Route]]:
    return [
        (f"{prefix}{route.path}", route)
        for prefix, routers in ((API_PREFIX, api), ("", pages))
        for router in routers
        for route in router.routes
        if isinstance(route, Route)
    ]

"""The HTTP application: routers in, ASGI out."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException  # noqa: TID251 - caught here, raised by the framework only
from starlette.routing import Route
from starlette.types import ASGIApp

import fairground
from fairground.kernel.errors import DomainError
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.db.database import Database
from fairground.platform.http import health, problems
from fairground.platform.http.caching.direct import CallDirectly
from fairground.platform.http.caching.layer import CacheLayer
from fairground.platform.http.caching.table import CacheTable
from fairground.platform.http.compressing import PageCompression
from fairground.platform.http.counting import RequestCounter, RequestStats
from fairground.platform.http.identity import Authenticator
from fairground.platform.http.immutable_responses import ImmutableResponseCache
from fairground.platform.http.methods import HeadAndOptionsMiddleware, PathMethods
from fairground.platform.http.security import SecurityMiddleware, TrailingSlashMiddleware

API_PREFIX: Final = "/api/v1"
BODY_MAX_BYTES: Final = 1024 * 1024  # the largest body is a year of opening hours; pictures come another way
# A processor's webhook comes from another site by nature and proves itself by its signature.
_EXEMPT_FROM_ORIGIN: Final = frozenset({f"{API_PREFIX}/webhooks/stripe"})


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

    With a cache, the routes that declare a policy are answered from it.
    """
    app = _framework(db, authenticator)
    health_routes = health.routes(db, level=cache.level if cache is not None else None)
    app.include_router(health_routes)
    for router in api:
        app.include_router(router, prefix=API_PREFIX)
    for router in pages:
        app.include_router(router, include_in_schema=False)
    with_slash = [path for path, _ in list_routes(api, pages) if path.endswith("/")]
    could_be_cached = [(path, route) for path, route in _routes(api, pages) if isinstance(route, APIRoute)]
    own = [
        (route.path, route.methods or ())
        for route in [*health_routes.routes, *app.router.routes]
        if isinstance(route, Route)
    ]
    methods = app.state.methods = PathMethods([*list_routes(api, pages), *own])
    direct = CallDirectly(problems.ExplainRefusals(app), routes=(route for _, route in could_be_cached))
    stats = requests or RequestStats()
    counted = RequestCounter(ImmutableResponseCache(direct, stats=stats), stats=stats, templates=_templates(api, pages))
    one_slash = TrailingSlashMiddleware(counted, paths_with_slash=with_slash)
    answering = HeadAndOptionsMiddleware(PageCompression(one_slash), methods=methods)
    security = SecurityMiddleware(answering, public_url=public_url, exempt_paths=_EXEMPT_FROM_ORIGIN)
    if cache is None:
        return security
    table = CacheTable(could_be_cached, cache.settings)
    # In front of the security: what is kept has its headers, and is given only to requests for hosts of ours.
    return CacheLayer(security, cache=cache, table=table, public_url=public_url)


def _framework(db: Database, authenticator: Authenticator) -> FastAPI:
    app = FastAPI(
        title="Fairground",
        version=fairground.__version__,
        # The framework's own page of the API runs a script that is fetched from elsewhere, at our origin.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=BODY_MAX_BYTES,
    )
    app.state.db = db
    app.state.authenticator = authenticator
    app.add_exception_handler(DomainError, problems.on_domain_error)
    app.add_exception_handler(RequestValidationError, problems.on_invalid_request)
    app.add_exception_handler(HTTPException, problems.on_http_exception)
    app.add_exception_handler(Exception, problems.on_unexpected_error)
    return app


def list_routes(api: Sequence[APIRouter], pages: Sequence[APIRouter]) -> list[tuple[str, list[str]]]:
    """Return every path with its methods, as it is served."""
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

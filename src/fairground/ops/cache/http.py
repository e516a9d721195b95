"""Routes of the cache, for staff, relative to /api/v1."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from fairground.contracts.providers import Providers
from fairground.kernel.inputs import Input
from fairground.ops.cache.flush import flush
from fairground.ops.cache.report import CacheReport, report
from fairground.platform.cache.cache import ResponseCache
from fairground.platform.cache.settings import Life
from fairground.platform.db.database import Database
from fairground.platform.http.identity import Staff
from fairground.platform.http.routing import api_router


class InvalidationIn(Input):
    kinds: list[Life] = Field(default_factory=list, description="Kinds of answers; none means all.")
    provider: str | None = Field(None, description="Id or slug of the provider whose answers alone are meant.")


class InvalidationOut(BaseModel):
    tags: list[str]
    """The invalidated tags; every response with one of them is computed again."""


def routes(cache: ResponseCache, *, db: Database, catalog: Providers) -> APIRouter:
    router = api_router(tags=["operations"])

    @router.get("/ops/cache")
    async def show_cache(_caller: Staff) -> CacheReport:
        """Return the figures of the process that answers."""
        return report(cache)

    @router.post("/ops/cache/invalidate")
    async def invalidate(caller: Staff, wanted: InvalidationIn) -> InvalidationOut:
        """Void answers by hand. Changes do so by themselves; this is for what was changed behind the program's back.

        Who did it, what and when is kept; `fairground cache flushes` shows it.
        """
        actor = f"user {caller.user_id}"
        return InvalidationOut(tags=await flush(db, catalog, kinds=wanted.kinds, provider=wanted.provider, actor=actor))

    return router

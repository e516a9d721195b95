"""Is the process alive, and can it serve."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from fairground.platform.cache.levels import LevelState, SharedLevel
from fairground.platform.db.database import Database
from fairground.platform.db.probes import WriteProbe


class Health(BaseModel):
    status: Literal["ok"] = "ok"


class Readiness(Health):
    shared_cache: LevelState | None = None
    """None where no Redis is set up."""


def routes(db: Database, *, level: SharedLevel | None) -> APIRouter:
    router = APIRouter(tags=["health"])
    probe = WriteProbe(db)

    @router.get("/healthz")
    async def get_health() -> Health:
        """Answer as long as the process runs; asks nothing of anybody."""
        return Health()

    @router.get("/readyz")
    async def get_readiness() -> Readiness:
        """Answer when the database can be read and written; 503 otherwise.

        A write is tried once in 15 s. Without its shared cache a server is slower, and ready.
        """
        await db.ping()
        await probe.check()
        return Readiness(shared_cache=level.state if level is not None else None)

    return router

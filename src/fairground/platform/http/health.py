"""Is the process alive, and can it serve."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from fairground.platform.db.database import Database


class Health(BaseModel):
    status: Literal["ok"] = "ok"


def routes(db: Database) -> APIRouter:
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def get_health() -> Health:
        """Answer as long as the process runs; asks nothing of anybody."""
        return Health()

    @router.get("/readyz")
    async def get_readiness() -> Health:
        """Answer when the database does; 503 otherwise."""
        await db.ping()
        return Health()

    return router

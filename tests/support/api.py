"""The routes of the directory in the real application, called as any user."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

import httpx
from starlette.requests import HTTPConnection

from fairground.kernel.ids import uuid7
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from tests.support.directory import Directory
from tests.support.providers import People

ADDRESS: Final = "http://127.0.0.1:8000"


class TrustingAuthenticator:
    """Reads the bearer token as a user id, and the role from accounts."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        user = await self._people.get_user(user_id=UUID(token))
        return Caller(user_id=user.id, name=user.name, role=user.role, session_id=uuid7(), is_token=True)


@asynccontextmanager
async def open_client(db: Database, directory: Directory, people: People) -> AsyncIterator[httpx.AsyncClient]:
    authenticator = TrustingAuthenticator(people)
    app = create_app(db=db, authenticator=authenticator, api=directory.routers(), pages=[], public_url=ADDRESS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{ADDRESS}/api/v1") as client:
        yield client


def signed_in(user_id: UUID) -> dict[str, str]:
    return {"Authorization": f"Bearer {user_id}"}

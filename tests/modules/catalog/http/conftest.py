"""The catalog's routes in the real application, called by whoever a test says."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import httpx
import pytest
from fastapi import APIRouter
from starlette.requests import HTTPConnection

from fairground.kernel.ids import uuid7
from fairground.modules.catalog import http
from fairground.modules.catalog.service.galleries import GalleryService
from fairground.modules.catalog.service.portraits import PortraitService
from fairground.platform.db.database import Database
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from fairground.verticals.loader import Verticals
from tests.support.catalog import Desk, People
from tests.support.directory import Directory

ADDRESS = "http://127.0.0.1:8000"


class TrustingAuthenticator:
    """Believes whoever gives a user id as bearer token, in the role that accounts knows."""

    def __init__(self, people: People) -> None:
        self._people = people

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        user = await self._people.get_user(user_id=UUID(token))
        return Caller(user_id=user.id, name=user.name, role=user.role, session_id=uuid7(), is_token=True)


@pytest.fixture
def api(
    *,
    catalog: Directory,
    verticals: Verticals,
    portraits: PortraitService,
    galleries: GalleryService,
) -> Sequence[APIRouter]:
    return http.routes(catalog, verticals, portraits, galleries)


@pytest.fixture
async def client(db: Database, api: Sequence[APIRouter], people: People) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        db=db,
        authenticator=TrustingAuthenticator(people),
        api=api,
        pages=[],
        public_url=ADDRESS,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"{ADDRESS}/api/v1") as client:
        yield client


@pytest.fixture
def staff(desk: Desk) -> dict[str, str]:
    return signed_in(desk.staff_id)


def signed_in(user_id: UUID) -> dict[str, str]:
    return {"Authorization": f"Bearer {user_id}"}

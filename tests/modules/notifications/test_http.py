from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from starlette.requests import HTTPConnection

from fairground.kernel.ids import uuid7
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from tests.modules.notifications.rig import PUBLIC_URL, Rig

pytestmark = pytest.mark.anyio


class IdAuthenticator:
    """Takes the bearer token as the id of the user."""

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        return Caller(user_id=UUID(token), name="Test", role="customer", session_id=uuid7(), is_token=True)


@pytest.fixture
async def client(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(
        db=rig.db,
        authenticator=IdAuthenticator(),
        api=rig.module.routers,
        pages=[],
        public_url=PUBLIC_URL,
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {rig.customer.id}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{PUBLIC_URL}/api/v1", headers=headers) as http:
        yield http


async def test_notification_is_listed_and_marked_read(rig: Rig, client: httpx.AsyncClient) -> None:
    booking = await rig.request()
    await rig.work()
    listed = (await client.get("/me/notifications")).json()
    assert listed["unread_count"] == 1
    (shown,) = listed["data"]
    assert shown["title"] == "Request sent to Ada Lovelace"
    assert shown["link"] == f"/me/bookings/{booking.id}"
    assert shown["action"] == "View request"
    read = await client.post("/me/notifications/read", json={"notification_ids": [shown["id"], str(uuid7())]})
    assert (read.status_code, read.json()) == (200, {"unread_count": 0})
    assert (await client.get("/me/notifications?limit=1")).json()["data"][0]["read_at"] is not None


async def test_request_without_a_session_is_refused(client: httpx.AsyncClient) -> None:
    anonymous = {"Authorization": ""}
    assert (await client.get("/me/notifications", headers=anonymous)).status_code == 401
    assert (
        await client.post("/me/notifications/read", json={"notification_ids": []}, headers=anonymous)
    ).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [({"notification_ids": []}, 200), ({}, 422), ({"notification_ids": ["x"]}, 422), ({"ids": []}, 422)],
)
async def test_only_a_list_of_ids_can_be_marked(
    client: httpx.AsyncClient, body: dict[str, object], status: int
) -> None:
    assert (await client.post("/me/notifications/read", json=body)).status_code == status

"""The JSON routes: what they take, what they answer, and whom they answer."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest
from starlette.requests import HTTPConnection

from fairground.contracts.booking import BookingStatus
from fairground.kernel.ids import uuid7
from fairground.modules.messaging import http
from fairground.modules.messaging.service.sender import SENDING
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from tests.modules.messaging.rig import Rig

pytestmark = pytest.mark.anyio

BASE = "https://fair.example"


class IdAuthenticator:
    """Takes the bearer token as the id of the user."""

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        return Caller(user_id=UUID(token), name="Test", role="customer", session_id=uuid7(), is_token=True)


@pytest.fixture
async def client(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client that is signed in as the customer."""
    app = create_app(
        db=rig.db, authenticator=IdAuthenticator(), api=[http.routes(rig.messages)], pages=[], public_url=BASE
    )
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {rig.customer.id}"}
    async with httpx.AsyncClient(transport=transport, base_url=f"{BASE}/api/v1", headers=headers) as client:
        yield client


def as_owner(rig: Rig) -> dict[str, str]:
    return {"Authorization": f"Bearer {rig.owner.id}"}


async def test_messages_are_sent_read_and_marked(rig: Rig, client: httpx.AsyncClient) -> None:
    path = f"/bookings/{rig.book().booking_id}/messages"
    client_message_id = str(uuid7())
    body = {"text": "Is there a piano?", "client_message_id": client_message_id}
    sent = await client.post(path, json=body)
    assert sent.status_code == 201
    assert sent.json() == {
        "sequence": 1,
        "side": "customer",
        "client_message_id": client_message_id,
        "text": "Is there a piano?",
        "created_at": sent.json()["created_at"],
    }
    assert (await client.post(path, json=body)).json() == sent.json()
    await client.post(path, json={"text": "And a stool?"}, headers=as_owner(rig))
    thread = (await client.get(path, params={"after": 1})).json()
    assert ([each["text"] for each in thread["data"]], thread["unread_count"]) == (["And a stool?"], 1)
    marked = await client.put(f"{path}/read", json={"sequence": 2})
    assert marked.json() == {"read_sequence": 2, "unread_count": 0}
    [conversation] = (await client.get("/me/conversations")).json()["data"]
    assert (conversation["other_name"], conversation["unread_count"]) == ("Maya & the Tides", 0)
    assert conversation["last_message"]["text"] == "And a stool?"


async def test_answers_are_private(rig: Rig, client: httpx.AsyncClient) -> None:
    path = f"/bookings/{rig.book().booking_id}/messages"
    for answer in (
        await client.get(path),
        await client.post(path, json={"text": "Hello"}),
        await client.put(f"{path}/read", json={"sequence": 1}),
        await client.get("/me/conversations"),
    ):
        assert answer.headers["cache-control"] == "private, no-store"


async def test_request_with_an_idempotency_key_is_carried_out_once(rig: Rig, client: httpx.AsyncClient) -> None:
    booking = rig.book()
    first, second = [
        await client.post(
            f"/bookings/{booking.booking_id}/messages", json={"text": "Hello"}, headers={"Idempotency-Key": "one"}
        )
        for _ in range(2)
    ]
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.headers["idempotency-replayed"] == "true"
    assert await rig.texts(booking, rig.owner) == ["Hello"]


async def test_caller_on_neither_side_gets_what_an_unknown_booking_gets(rig: Rig, client: httpx.AsyncClient) -> None:
    stranger = {"Authorization": f"Bearer {uuid7()}"}
    for booking_id, headers in ((rig.book().booking_id, stranger), (uuid7(), {})):
        path = f"/bookings/{booking_id}/messages"
        for answer in (
            await client.get(path, headers=headers),
            await client.post(path, json={"text": "Hello"}, headers=headers),
            await client.put(f"{path}/read", json={"sequence": 1}, headers=headers),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "booking.not_found")


async def test_visitor_is_asked_to_sign_in(rig: Rig, client: httpx.AsyncClient) -> None:
    path = f"/bookings/{rig.book().booking_id}/messages"
    for answer in (
        await client.get(path, headers={"Authorization": ""}),
        await client.post(path, json={"text": "Hello"}, headers={"Authorization": ""}),
        await client.get("/me/conversations", headers={"Authorization": ""}),
    ):
        assert answer.status_code == 401


async def test_refusals_say_what_to_do(rig: Rig, client: httpx.AsyncClient) -> None:
    held, open_path = rig.book(BookingStatus.HELD), f"/bookings/{rig.book().booking_id}/messages"
    closed = await client.post(f"/bookings/{held.booking_id}/messages", json={"text": "Hello"})
    assert (closed.status_code, closed.json()["code"]) == (409, "messaging.closed")
    empty = await client.post(open_path, json={"text": " "})
    assert (empty.status_code, empty.json()["code"], empty.json()["field"]) == (422, "messaging.invalid", "text")
    assert (await client.put(f"{open_path}/read", json={"sequence": -1})).status_code == 422
    assert (await client.get(open_path, params={"before": 3})).json()["code"] == "request.unknown_parameter"
    for _ in range(SENDING.burst):
        await client.post(open_path, json={"text": "Hello"})
    limited = await client.post(open_path, json={"text": "Hello"})
    assert (limited.status_code, limited.json()["code"]) == (429, "messaging.too_many_messages")
    assert 1 <= int(limited.headers["retry-after"]) <= 10

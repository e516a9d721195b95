"""The JSON routes: what they take, what they answer, and whom they answer."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from starlette.requests import HTTPConnection

from fairground.contracts.booking import BookingView
from fairground.contracts.providers import Offer, Providers, ProviderStatus
from fairground.kernel.ids import uuid7
from fairground.modules.booking import http
from fairground.platform.http.app import create_app
from fairground.platform.http.identity import Caller
from tests.doubles.payments import DECLINED_CARD, GOOD_CARD
from tests.modules.booking.rig import PUBLIC_URL, Rig, owner_of

pytestmark = pytest.mark.anyio
API = "/api/v1"
CUSTOMER = uuid7()
RULES = {
    "timezone": "Europe/Oslo",
    "weekly": [{"weekday": 0, "start": "09:00", "end": "17:00"}, {"weekday": 4, "start": "20:00", "end": "24:00"}],
    "exceptions": [{"date": "2099-12-24", "available": False}],
}
NOTHING_BESIDE: dict[str, Any] = {"time_off": [], "min_notice_hours": None, "paused_until": None}


class TrustingAuthenticator:
    """Believes a user id that is given as bearer token."""

    async def authenticate(self, connection: HTTPConnection) -> Caller | None:
        token = connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not token:
            return None
        return Caller(user_id=UUID(token), name="Kim", role="customer", session_id=uuid7(), is_token=True)


@pytest.fixture
async def client(rig: Rig) -> AsyncIterator[httpx.AsyncClient]:
    providers: Providers = rig.providers  # type: ignore[assignment]
    app = create_app(
        db=rig.db,
        authenticator=TrustingAuthenticator(),
        api=[http.routes(rig.service, providers=providers)],
        pages=[],
        public_url=PUBLIC_URL,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=f"{PUBLIC_URL}{API}"
    ) as client:
        yield client


def signed_in(user_id: UUID | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {user_id}"}


async def post_hold(client: httpx.AsyncClient, rig: Rig, offer: Offer, **changes: Any) -> httpx.Response:
    wanted = {"service_id": str(offer.service_id), "starts_at": (await rig.tomorrow()).isoformat(), **changes}
    return await client.post("/bookings", json=wanted, headers=signed_in(uuid7()))


async def test_a_booking_goes_from_held_to_completed_over_http(client: httpx.AsyncClient, rig: Rig) -> None:
    offer, customer = await rig.offer(price_minor=4200), signed_in(uuid7())
    owner = signed_in(offer.owner_id)
    starts_at = (await rig.tomorrow()).isoformat()
    held = await client.post(
        "/bookings", json={"service_id": str(offer.service_id), "starts_at": starts_at}, headers=customer
    )
    assert held.status_code == 201, held.text
    booking = held.json()
    assert (booking["status"], booking["total_minor"], booking["next_steps"]) == ("held", 4200, ["pay", "cancel"])
    path = f"/bookings/{booking['id']}"
    paid = await client.post(f"{path}/pay", json={"payment_method": GOOD_CARD}, headers=customer)
    assert (paid.status_code, paid.json()["status"]) == (200, "requested")
    accepted = await client.post(f"{path}/accept", headers=owner)
    assert (accepted.status_code, accepted.json()["status"]) == (200, "confirmed")
    early = await client.post(f"{path}/complete", headers=owner)
    assert (early.status_code, early.json()["code"]) == (409, "booking.not_yet")
    rig.pass_time(days=4)
    completed = await client.post(f"{path}/complete", headers=customer)
    assert (completed.json()["status"], completed.json()["next_steps"]) == ("completed", ["review"])
    shown = (await client.get(path, headers=customer)).json()
    assert shown.pop("contact")["name"] == "Ada Lovelace"
    assert shown | {"contact": None} == completed.json()


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"starts_at": "2020-01-01T10:00:00Z"}, 422, "booking.not_offered"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, 422, "booking.not_offered"),
        ({"starts_at": "9999-12-31T23:59:59-14:00"}, 422, "booking.not_offered"),
        ({"starts_at": "2026-12-01T10:00:00"}, 422, "request.invalid"),
        ({"expected_total_minor": 1}, 409, "booking.price_changed"),
        ({"expected_total_minor": True}, 422, "request.invalid"),
        ({"expected_total_minor": "1"}, 422, "request.invalid"),
        ({"service_id": str(uuid7())}, 404, "catalog.service_not_found"),
        ({"place": "moon"}, 422, "booking.details_invalid"),
        ({"note": "a\x00b"}, 422, "booking.details_invalid"),
        ({"party_size": "many"}, 422, "request.invalid"),
        ({"price": 1}, 422, "request.invalid"),
    ],
)
async def test_a_hold_that_cannot_be_is_refused_with_its_code(
    client: httpx.AsyncClient, rig: Rig, changes: dict[str, Any], status: int, code: str
) -> None:
    answer = await post_hold(client, rig, await rig.offer(), **changes)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


async def test_a_taken_time_is_a_conflict(client: httpx.AsyncClient, rig: Rig) -> None:
    offer = await rig.offer()
    assert (await post_hold(client, rig, offer)).status_code == 201
    second = await post_hold(client, rig, offer)
    assert (second.status_code, second.json()["code"]) == (409, "booking.slot_taken")


async def test_a_fourth_hold_says_when_to_try_again(client: httpx.AsyncClient, rig: Rig) -> None:
    offer, customer = await rig.offer(), signed_in(uuid7())
    answers = []
    for hour in (8, 10, 12, 14):
        wanted = {"service_id": str(offer.service_id), "starts_at": (await rig.tomorrow(hour)).isoformat()}
        answers.append(await client.post("/bookings", json=wanted, headers=customer))
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert 590 <= int(answers[-1].headers["Retry-After"]) <= 601


async def test_a_declined_card_is_402(client: httpx.AsyncClient, rig: Rig) -> None:
    held = await rig.hold(await rig.offer())
    answer = await client.post(
        f"/bookings/{held.id}/pay", json={"payment_method": DECLINED_CARD}, headers=signed_in(held.customer_id)
    )
    assert (answer.status_code, answer.json()["code"]) == (402, "payment.failed")


async def test_a_refused_capture_is_402_and_leaves_the_request(client: httpx.AsyncClient, rig: Rig) -> None:
    booking = await rig.request()
    rig.payments.refuses_capture = True
    answer = await client.post(f"/bookings/{booking.id}/accept", headers=signed_in(rig.owner(booking)))
    assert (answer.status_code, answer.json()["code"]) == (402, "payment.failed")
    shown = await client.get(f"/bookings/{booking.id}", headers=signed_in(rig.owner(booking)))
    assert (shown.json()["status"], shown.json()["side"]) == ("requested", "provider")


async def test_cancelling_with_a_wrong_refund_tells_the_right_one(client: httpx.AsyncClient, rig: Rig) -> None:
    booking = await rig.confirmed(price_minor=5000)
    path, customer = f"/bookings/{booking.id}/cancel", signed_in(booking.customer_id)
    wrong = await client.post(path, json={"expected_refund_minor": 1}, headers=customer)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "booking.price_changed")
    right = await client.post(path, json={"expected_refund_minor": wrong.json()["refund_minor"]}, headers=customer)
    assert (right.status_code, right.json()["status"]) == (200, "cancelled")
    again = await client.post(path, headers=customer)
    assert (again.status_code, again.json()["code"]) == (409, "booking.status_conflict")


@pytest.mark.parametrize("step", ["pay", "accept", "decline", "cancel", "complete"])
async def test_booking_of_others_is_not_found(client: httpx.AsyncClient, rig: Rig, step: str) -> None:
    booking = await rig.request()
    body = {"payment_method": GOOD_CARD} if step == "pay" else None
    for path in (f"/bookings/{booking.id}/{step}", f"/bookings/{uuid7()}/{step}"):
        answer = await client.post(path, json=body, headers=signed_in(uuid7()))
        assert (answer.status_code, answer.json()["code"]) == (404, "booking.not_found")
        assert (await client.post(path, json=body)).status_code == 401


async def test_others_see_neither_a_booking_nor_its_calendar(client: httpx.AsyncClient, rig: Rig) -> None:
    booking = await rig.request()
    for path in (f"/bookings/{booking.id}", f"/bookings/{booking.id}/calendar.ics"):
        assert (await client.get(path, headers=signed_in(uuid7()))).status_code == 404
        assert (await client.get(path)).status_code == 401


async def test_unreadable_booking_is_an_internal_error_and_leaves_the_list_whole(
    client: httpx.AsyncClient, rig: Rig
) -> None:
    broken, whole = [await rig.hold(await rig.offer(), customer_id=CUSTOMER) for _ in range(2)]
    await rig.store_policy(broken.id, {"steps": "none"})
    listed = await client.get("/bookings", headers=signed_in(CUSTOMER))
    assert (listed.status_code, [each["id"] for each in listed.json()["data"]]) == (200, [str(whole.id)])
    answer = await client.get(f"/bookings/{broken.id}", headers=signed_in(CUSTOMER))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")


async def test_a_decline_needs_no_body(client: httpx.AsyncClient, rig: Rig) -> None:
    booking = await rig.request()
    answer = await client.post(f"/bookings/{booking.id}/decline", headers=signed_in(rig.owner(booking)))
    assert (answer.status_code, answer.json()["status"]) == (200, "declined")


async def test_a_list_holds_ones_own_bookings_by_side_and_status(client: httpx.AsyncClient, rig: Rig) -> None:
    offer, customer_id = await rig.offer(), uuid7()
    held = [await rig.hold(offer, customer_id=customer_id, starts_at=await rig.tomorrow(hour)) for hour in (8, 12, 10)]
    await rig.pay(held[0])
    by_start = [str(held[1].id), str(held[2].id), str(held[0].id)]

    async def listed(user_id: UUID | None, query: str) -> tuple[list[str], int]:
        answer = await client.get(f"/bookings{query}", headers=signed_in(user_id))
        assert answer.status_code == 200, answer.text
        return [booking["id"] for booking in answer.json()["data"]], answer.json()["total"]

    assert await listed(customer_id, "") == (by_start, 3)
    assert await listed(offer.owner_id, "?side=provider") == (by_start, 3)
    assert await listed(customer_id, "?side=provider") == ([], 0)
    assert await listed(customer_id, "?side=customer&status=requested") == ([str(held[0].id)], 1)
    assert await listed(customer_id, "?page=2&limit=2") == (by_start[2:], 3)
    assert await listed(uuid7(), "") == ([], 0)
    refused = await client.get("/bookings?side=both", headers=signed_in(customer_id))
    assert refused.status_code == 422


async def test_the_calendar_is_a_file_for_calendars(client: httpx.AsyncClient, rig: Rig) -> None:
    booking = await rig.confirmed()
    answer = await client.get(f"/bookings/{booking.id}/calendar.ics", headers=signed_in(booking.customer_id))
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert f"UID:{booking.id}@fair.example" in answer.text


async def test_availability_is_listed_by_slug_and_by_id_without_what_is_taken(
    client: httpx.AsyncClient, rig: Rig
) -> None:
    offer = await rig.offer()
    held = await rig.hold(offer)
    day = held.starts_at.date()
    for name in (offer.provider_slug, str(offer.provider_id)):
        answer = await client.get(f"/service-provider-profiles/{name}/availability?from={day}&to={day}")
        assert answer.status_code == 200, answer.text
        starts = {datetime.fromisoformat(slot["starts_at"]) for slot in answer.json()["slots"]}
        taken = {held.starts_at + timedelta(minutes=shift) for shift in (-30, 0, 30)}
        assert answer.json()["timezone"] == "UTC"
        assert len(starts) == 45
        assert not starts & taken
        assert {held.starts_at - timedelta(hours=1), held.ends_at} <= starts


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?from=2026-12-02&to=2026-12-01", 422),
        ("?from=2026-01-01&to=2026-03-04", 422),
        ("?from=2026-01-01&to=2026-03-03", 200),
        ("?from=0001-01-01&to=0001-01-02", 200),
        ("?from=9999-12-30&to=9999-12-31", 200),
        ("", 422),
        ("?from=2026-12-01&to=2026-12-01&service_id=018f0000-0000-7000-8000-000000000001", 404),
    ],
)
async def test_dates_of_availability_are_checked(client: httpx.AsyncClient, rig: Rig, query: str, status: int) -> None:
    offer = await rig.offer()
    answer = await client.get(f"/service-provider-profiles/{offer.provider_slug}/availability{query}")
    assert answer.status_code == status, answer.text


async def test_a_provider_who_is_not_approved_has_no_availability(client: httpx.AsyncClient, rig: Rig) -> None:
    provider = rig.providers.add_provider(status=ProviderStatus.DRAFT)
    answer = await client.get(f"/service-provider-profiles/{provider.id}/availability?from=2026-12-01&to=2026-12-01")
    assert answer.status_code == 404


async def test_the_service_of_another_provider_is_not_found(client: httpx.AsyncClient, rig: Rig) -> None:
    offer, other = await rig.offer(), await rig.offer()
    today = date.today()  # noqa: DTZ011 - any date does
    answer = await client.get(
        f"/service-provider-profiles/{offer.provider_id}/availability?from={today}&to={today}"
        f"&service_id={other.service_id}"
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "catalog.service_not_found")


async def test_hours_are_put_and_got_by_their_owner_alone(client: httpx.AsyncClient, rig: Rig) -> None:
    provider = rig.providers.add_provider()
    path, owner = f"/service-provider-profiles/{provider.id}/availability-rules", signed_in(owner_of(provider))
    empty = await client.get(path, headers=owner)
    assert empty.json() == {"timezone": "Europe/Oslo", "weekly": [], "exceptions": [], **NOTHING_BESIDE}
    put = await client.put(path, json=RULES, headers=owner)
    assert put.status_code == 200, put.text
    assert put.json()["weekly"][1] == {"weekday": 4, "start": "20:00:00", "end": "00:00:00"}
    assert (await client.get(path, headers=owner)).json() == put.json()
    for answer in (
        await client.get(path, headers=signed_in(uuid7())),
        await client.put(path, json=RULES, headers=signed_in(uuid7())),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "catalog.provider_not_found")


async def test_what_a_client_of_before_does_not_send_stays_as_it_is(client: httpx.AsyncClient, rig: Rig) -> None:
    provider = rig.providers.add_provider()
    path, owner = f"/service-provider-profiles/{provider.id}/availability-rules", signed_in(owner_of(provider))
    off = {"from_date": "2099-12-24", "to_date": "2100-01-03", "note": "Family"}
    beside = {"time_off": [off], "min_notice_hours": 0, "paused_until": "reopened"}
    assert (await client.put(path, json={**RULES, **beside}, headers=owner)).status_code == 200
    put = await client.put(path, json={**RULES, "exceptions": []}, headers=owner)
    assert {name: put.json()[name] for name in beside} == beside
    assert put.json()["exceptions"] == []
    cleared = await client.put(path, json={**RULES, **NOTHING_BESIDE}, headers=owner)
    assert {name: cleared.json()[name] for name in beside} == NOTHING_BESIDE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"timezone": "Mars/Olympus"}, "booking.rules_invalid"),
        ({"weekly": [{"weekday": 0, "start": "17:00", "end": "09:00"}] * 2}, "booking.rules_invalid"),
        ({"time_off": [{"from_date": "2099-02-03", "to_date": "2099-02-01"}]}, "booking.rules_invalid"),
        ({"time_off": [{"from_date": "2020-02-03", "to_date": "2020-02-04"}]}, "booking.rules_invalid"),
        ({"min_notice_hours": 721}, "request.invalid"),
        ({"paused_until": "soon"}, "request.invalid"),
        ({"paused_until": "2020-01-01"}, "booking.rules_invalid"),
        ({"weekly": [{"weekday": 7, "start": "09:00", "end": "17:00"}]}, "request.invalid"),
        ({"weekly": [{"weekday": 0, "start": "09:00", "end": "25:00"}]}, "request.invalid"),
        ({"weekly": [{"weekday": 0, "start": "09:00Z", "end": "17:00"}]}, "booking.rules_invalid"),
        ({"weekly": [{"weekday": 0, "start": 32400, "end": "17:00"}]}, "request.invalid"),
        ({"weekly": [{"weekday": 0, "start": "09:00", "end": ["17:00"]}]}, "request.invalid"),
        ({"exceptions": [{"date": "2026-02-30", "available": False}]}, "request.invalid"),
        ({"holidays": []}, "request.invalid"),
    ],
)
async def test_unsound_hours_are_refused(
    client: httpx.AsyncClient, rig: Rig, changes: dict[str, Any], code: str
) -> None:
    provider = rig.providers.add_provider()
    answer = await client.put(
        f"/service-provider-profiles/{provider.id}/availability-rules",
        json={**RULES, **changes},
        headers=signed_in(owner_of(provider)),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


async def test_a_repeated_hold_with_the_same_key_takes_one_time(client: httpx.AsyncClient, rig: Rig) -> None:
    offer, headers = await rig.offer(), {**signed_in(uuid7()), "Idempotency-Key": "one"}
    wanted = {"service_id": str(offer.service_id), "starts_at": (await rig.tomorrow()).isoformat()}
    first = await client.post("/bookings", json=wanted, headers=headers)
    second = await client.post("/bookings", json=wanted, headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


def test_what_only_the_module_knows_is_not_shown() -> None:
    assert {"provider_owner_id", "version", "was_confirmed"}.isdisjoint(BookingView.model_fields)


async def test_receipt_is_answered_to_the_customer_and_refused_to_the_provider(
    client: httpx.AsyncClient, rig: Rig
) -> None:
    booking = await rig.confirmed()
    path = f"/bookings/{booking.id}/receipt"
    mine = await client.get(path, headers=signed_in(booking.customer_id))
    assert (mine.status_code, mine.json()["captured_minor"]) == (200, booking.total_minor)
    assert mine.json()["lines"][0]["quantity"] == 1
    theirs = await client.get(path, headers=signed_in(rig.owner(booking)))
    assert (theirs.status_code, theirs.json()["code"]) == (404, "booking.receipt_not_found")
    assert (await client.get(path)).status_code == 401

from typing import Any
from uuid import uuid4

import httpx
import pytest

from fairground.contracts.accounts import Role
from tests.support.api import signed_in
from tests.support.providers import Desk, People, a_profile, owner_of

PROFILES = "/service-provider-profiles"


def body_of_a_profile(**changes: Any) -> dict[str, Any]:
    return a_profile().model_dump() | changes


async def test_profile_is_listed_once_it_is_approved(
    client: httpx.AsyncClient, people: People, staff: dict[str, str]
) -> None:
    owner = signed_in(people.add())
    created = await client.post(PROFILES, json=body_of_a_profile(), headers=owner)
    assert (created.status_code, created.json()["status"]) == (201, "draft")
    assert created.json()["missing"] == ["has_service", "has_hours"]
    own = f"{PROFILES}/{created.json()['id']}"
    assert (await client.get(own)).status_code == 404

    assert (await client.post(f"{own}/submit", headers=owner)).json()["status"] == "submitted"
    rejected = await client.post(f"{own}/reject", json={"reason": "No picture."}, headers=staff)
    assert (rejected.json()["status"], rejected.json()["rejection_reason"]) == ("rejected", "No picture.")
    assert (await client.get("/me/provider", headers=owner)).json() == rejected.json()
    again = (await client.post(f"{own}/submit", headers=owner)).json()
    assert (again["status"], again["rejection_reason"]) == ("submitted", None)
    assert (await client.post(f"{own}/approve", headers=staff)).json()["status"] == "approved"

    assert (await client.get(own)).status_code == 200
    assert [card["slug"] for card in (await client.get(PROFILES)).json()["data"]] == ["bla-time-trio"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vertical": "plumbers"}, "catalog.vertical_unknown"),
        ({"categories": ["blacksmith"]}, "catalog.category_unknown"),
        ({"categories": []}, "request.invalid"),
        ({"timezone": "Mars/Olympus"}, "catalog.profile_invalid"),
        ({"business_name": "   "}, "request.invalid"),
        ({"business_name": "a\x00b"}, "catalog.profile_invalid"),
        ({"business_name": "x" * 121}, "catalog.profile_invalid"),
        ({"lng": None}, "catalog.profile_invalid"),
        ({"lat": 91}, "request.invalid"),
        ({"slug": "mine"}, "request.invalid"),
        ({"location": 5}, "request.invalid"),
    ],
)
async def test_invalid_profile_is_refused(
    client: httpx.AsyncClient, people: People, changes: dict[str, Any], code: str
) -> None:
    answer = await client.post(PROFILES, json=body_of_a_profile(**changes), headers=signed_in(people.add()))
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_customers_have_no_profile(client: httpx.AsyncClient, people: People) -> None:
    customer = signed_in(people.add(Role.CUSTOMER))
    answer = await client.post(PROFILES, json=body_of_a_profile(), headers=customer)
    assert (answer.status_code, answer.json()["code"]) == (403, "catalog.not_a_provider")


async def test_own_profile_that_is_missing_has_a_code_of_its_own(client: httpx.AsyncClient, people: People) -> None:
    answer = await client.get("/me/provider", headers=signed_in(people.add()))
    assert (answer.status_code, answer.json()["code"]) == (404, "catalog.profile_missing")
    assert answer.json()["hint"] == "Create your profile first: POST /api/v1/service-provider-profiles/."


async def test_a_change_touches_only_the_fields_that_it_names(client: httpx.AsyncClient, desk: Desk) -> None:
    before = await desk.draft()
    path, owner = f"{PROFILES}/{before.id}", signed_in(owner_of(before))
    changed = await client.patch(path, json={"business_name": "Sent på kvelden", "bio": None}, headers=owner)
    expected = before.model_dump(mode="json") | {
        "business_name": "Sent på kvelden",
        "bio": None,
        "missing": ["has_bio", *before.missing],
        "bookings_at_other_times": [],
    }
    assert changed.json() == expected


@pytest.mark.parametrize(
    "change",
    [
        {"business_name": None},
        {"timezone": None},
        {"location": None},
        {"categories": None},
        {"lat": None},
        {"vertical": "chefs"},
    ],
)
async def test_required_field_cannot_be_emptied(client: httpx.AsyncClient, desk: Desk, change: dict[str, Any]) -> None:
    provider = await desk.draft()
    answer = await client.patch(f"{PROFILES}/{provider.id}", json=change, headers=signed_in(owner_of(provider)))
    assert answer.status_code == 422
    assert await desk.catalog.get_provider_for_review(provider_id=provider.id) == provider


async def test_profile_of_another_account_is_not_found(client: httpx.AsyncClient, desk: Desk, people: People) -> None:
    provider = await desk.draft()
    stranger = signed_in(people.add())
    for path in (f"{PROFILES}/{provider.id}", f"{PROFILES}/{uuid4()}"):
        assert (await client.patch(path, json={"bio": "Mine now"}, headers=stranger)).status_code == 404
        assert (await client.post(f"{path}/submit", headers=stranger)).status_code == 404
        assert (await client.get(f"{path}/services", headers=stranger)).status_code == 404


async def test_only_staff_decide(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.submitted()
    path, owner = f"{PROFILES}/{provider.id}", signed_in(owner_of(provider))
    assert (await client.post(f"{path}/approve", headers=owner)).status_code == 403
    assert (await client.post(f"{path}/reject", json={"reason": "No."}, headers=owner)).status_code == 403
    assert (await client.post(f"{path}/approve")).status_code == 401


async def test_a_stale_decision_is_a_conflict(client: httpx.AsyncClient, desk: Desk, staff: dict[str, str]) -> None:
    provider = await desk.approved()
    for step, body in (("approve", None), ("reject", {"reason": "Too late."})):
        answer = await client.post(f"{PROFILES}/{provider.id}/{step}", json=body, headers=staff)
        assert (answer.status_code, answer.json()["code"]) == (409, "catalog.status_conflict")


async def test_a_provider_is_found_by_id_and_by_slug(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved(price_minor=45_000)
    by_id, by_slug = [
        (await client.get(f"/service-provider-profiles/{name}")).json() for name in (provider.id, provider.slug)
    ]
    assert by_id == by_slug
    assert by_id["slug"] == "bla-time-trio"
    assert by_id["is_claimed"] is True
    assert [service["price_minor"] for service in by_id["services"]] == [45_000]

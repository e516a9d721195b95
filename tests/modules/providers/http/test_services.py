from typing import Any, Final
from uuid import UUID, uuid4

import httpx
import pytest

from fairground.contracts.providers import OwnProvider
from tests.support.api import signed_in
from tests.support.providers import Desk, People, a_service, owner_of

ADDRESS: Final = {"street": "Storgata 1", "city": "Oslo", "country": "NO"}


def services_of(provider: OwnProvider) -> str:
    return f"/service-provider-profiles/{provider.id}/services"


async def test_a_service_is_offered_and_withdrawn(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved()
    owner, path = signed_in(owner_of(provider)), f"/service-provider-profiles/{provider.id}/services"
    added = await client.post(path, json=a_service().model_dump(), headers=owner)
    assert added.status_code == 201
    assert (await client.get(path)).json() == {"data": [added.json()], "total": 1}

    assert (await client.delete(f"{path}/{added.json()['id']}", headers=owner)).status_code == 204
    assert (await client.get(path)).json() == {"data": [], "total": 0}
    assert (await client.delete(f"{path}/{added.json()['id']}", headers=owner)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "NOK"}, "catalog.currency_unsupported"),
        ({"category": "blacksmith"}, "catalog.category_unknown"),
        ({"price_minor": 0}, "request.invalid"),
        ({"price_minor": True}, "request.invalid"),
        ({"price_minor": "100"}, "request.invalid"),
        ({"price_minor": 100.0}, "request.invalid"),
        ({"price_minor": 10.5}, "request.invalid"),
        ({"duration_minutes": 4}, "request.invalid"),
        ({"booking_mode": "lottery"}, "request.invalid"),
        ({"colour": "red"}, "request.invalid"),
        ({"name": "\x07"}, "catalog.service_invalid"),
        ({"price_model": "guest"}, "request.invalid"),
        ({"price_model": "person"}, "catalog.service_invalid"),
        ({"max_duration_minutes": 120}, "catalog.service_invalid"),
        ({"max_people": 5001}, "catalog.service_invalid"),
        ({"places": []}, "request.invalid"),
        ({"places": ["moon"]}, "request.invalid"),
        ({"places": ["provider"]}, "catalog.service_invalid"),
        ({"category": "dj"}, "catalog.service_invalid"),
    ],
)
async def test_invalid_service_is_refused(
    client: httpx.AsyncClient, desk: Desk, changes: dict[str, Any], code: str
) -> None:
    provider = await desk.draft()
    answer = await client.post(
        f"/service-provider-profiles/{provider.id}/services",
        json=a_service().model_dump() | changes,
        headers=signed_in(owner_of(provider)),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_service_of_another_account_is_not_found(client: httpx.AsyncClient, desk: Desk, people: People) -> None:
    provider = await desk.approved()
    service_id = await desk.offer(provider)
    path = f"/service-provider-profiles/{provider.id}/services"
    for caller in (people.add(), owner_of(await desk.draft(business_name="Another"))):
        stranger = signed_in(caller)
        assert (await client.delete(f"{path}/{service_id}", headers=stranger)).status_code == 404
        assert (await client.post(path, json=a_service().model_dump(), headers=stranger)).status_code == 404
    elsewhere = f"/service-provider-profiles/{uuid4()}/services/{service_id}"
    assert (await client.delete(elsewhere, headers=signed_in(owner_of(provider)))).status_code == 404


async def test_a_draft_shows_its_services_to_its_owner_alone(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.draft()
    await desk.offer(provider)
    path = f"/service-provider-profiles/{provider.id}/services"
    assert (await client.get(path)).status_code == 404
    assert (await client.get(path, headers=signed_in(owner_of(provider)))).json()["total"] == 1


async def test_service_has_every_term(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved()
    owner = signed_in(owner_of(provider))
    terms = {
        "price_model": "hour",
        "price_minor": 9_000,
        "duration_minutes": 60,
        "max_duration_minutes": 180,
        "min_people": 10,
        "max_people": 80,
        "places": ["customer"],
        "travel_radius_km": 40,
    }
    added = (await client.post(services_of(provider), json=a_service().model_dump() | terms, headers=owner)).json()
    assert {name: added[name] for name in terms} == terms
    [shown] = (await client.get(f"/service-provider-profiles/{provider.slug}")).json()["services"]
    assert shown == added


async def test_older_client_that_names_no_place_gets_those_of_the_profile(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    provider = await desk.draft()
    owner = signed_in(owner_of(provider))
    body = a_service().model_dump(include={*"name category price_minor currency duration_minutes booking_mode".split()})
    first = await client.post(services_of(provider), json=body, headers=owner)
    assert (first.status_code, first.json()["places"]) == (201, ["customer"])
    contact = {"address": ADDRESS, "meeting_details": "https://meet.example.org/maya"}
    changed = await client.patch(f"/service-provider-profiles/{provider.id}", json=contact, headers=owner)
    assert changed.json()["address"]["details"] is None
    second = await client.post(services_of(provider), json=body, headers=owner)
    assert second.json()["places"] == ["customer", "provider", "online"]


async def test_a_service_is_changed(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved()
    owner, service_id = signed_in(owner_of(provider)), await desk.offer(provider, description="Two sets.")
    path = f"{services_of(provider)}/{service_id}"
    [before] = (await client.get(services_of(provider))).json()["data"]
    changed = await client.patch(path, json={"price_minor": 1_000, "description": None}, headers=owner)
    assert changed.json() == before | {"price_minor": 1_000, "description": None}
    for body, code in (
        ({"name": None}, "catalog.service_invalid"),
        ({"price_minor": 0}, "request.invalid"),
        ({"currency": "NOK"}, "request.invalid"),
        ({"duration_minutes": 10}, "catalog.service_invalid"),
    ):
        answer = await client.patch(path, json=body, headers=owner)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    [after] = (await client.get(services_of(provider))).json()["data"]
    assert after == changed.json()


async def test_paused_service_shows_to_its_owner_alone(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved()
    owner, service_id = signed_in(owner_of(provider)), await desk.offer(provider)
    path, page = services_of(provider), f"/service-provider-profiles/{provider.slug}"
    paused = await client.post(f"{path}/{service_id}/pause", headers=owner)
    assert (paused.status_code, paused.json()["is_paused"]) == (200, True)
    assert (await client.post(f"{path}/{service_id}/pause", headers=owner)).json() == paused.json()
    assert (await client.get(path)).json()["total"] == 0
    assert (await client.get(path, headers=owner)).json()["data"] == [paused.json()]
    assert (await client.get(page)).json()["services"] == []
    resumed = await client.post(f"{path}/{service_id}/resume", headers=owner)
    assert (await client.get(page)).json()["services"] == [resumed.json()]


async def test_services_are_duplicated_and_ordered(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved()
    owner, path = signed_in(owner_of(provider)), services_of(provider)
    first, second = [await desk.offer(provider, name=name) for name in ("Evening set", "Matinée")]
    copy = (await client.post(f"{path}/{first}/duplicate", headers=owner)).json()
    assert (copy["name"], copy["is_paused"]) == ("Evening set (copy)", True)

    async def names() -> list[str]:
        return [service["name"] for service in (await client.get(path, headers=owner)).json()["data"]]

    assert await names() == ["Evening set", "Evening set (copy)", "Matinée"]
    order = [str(second), copy["id"], str(first)]
    ordered = await client.put(f"{path}/order", json={"service_ids": order}, headers=owner)
    assert [service["id"] for service in ordered.json()["data"]] == order
    assert await names() == ["Matinée", "Evening set (copy)", "Evening set"]
    for wrong in (order[:2], [*order, str(uuid4())], [order[0], *order]):
        refused = await client.put(f"{path}/order", json={"service_ids": wrong}, headers=owner)
        assert (refused.status_code, refused.json()["code"]) == (409, "catalog.service_list_changed")


async def test_changes_of_a_service_are_its_owner_s_alone(
    client: httpx.AsyncClient, desk: Desk, people: People
) -> None:
    provider, other = await desk.approved(), await desk.draft(business_name="Another")
    service_id = await desk.offer(provider)
    strangers = [signed_in(people.add()), signed_in(owner_of(other))]

    async def statuses(path: str, headers: dict[str, str], service: UUID) -> set[int]:
        answers = [
            await client.patch(f"{path}/{service}", json={"name": "Mine"}, headers=headers),
            *[
                await client.post(f"{path}/{service}/{act}", headers=headers)
                for act in ("pause", "resume", "duplicate")
            ],
        ]
        return {answer.status_code for answer in answers}

    for stranger in strangers:
        assert await statuses(services_of(provider), stranger, service_id) == {404}
        order = {"service_ids": [str(service_id)]}
        answer = await client.put(f"{services_of(provider)}/order", json=order, headers=stranger)
        assert answer.status_code == 404
    assert await statuses(services_of(provider), {}, service_id) == {401}
    assert await statuses(services_of(other), strangers[1], service_id) == {404}
    assert await statuses(services_of(provider), signed_in(owner_of(provider)), uuid4()) == {404}


async def test_contact_that_a_service_needs_is_not_removed(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.approved(address=ADDRESS, meeting_details="+47 22 00 00 00")
    owner, path = signed_in(owner_of(provider)), f"/service-provider-profiles/{provider.id}"
    await desk.offer(provider, name="At the studio", places=["provider"])
    moved = ADDRESS | {"street": "Karl Johans gate 2"}
    assert (await client.patch(path, json={"address": moved}, headers=owner)).status_code == 200
    refused = await client.patch(path, json={"address": None, "bio": "New"}, headers=owner)
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.contact_in_use")
    assert (refused.json()["field"], refused.json()["services"]) == ("address", ["At the studio"])
    own = (await client.get("/me/provider", headers=owner)).json()
    assert (own["address"]["street"], own["bio"]) == ("Karl Johans gate 2", provider.bio)
    assert (await client.patch(path, json={"meeting_details": None}, headers=owner)).status_code == 200


@pytest.mark.parametrize(
    "address", [{}, ADDRESS | {"country": "XX"}, ADDRESS | {"street": " "}, ADDRESS | {"lat": 1.0}, ADDRESS | {"a": 1}]
)
async def test_invalid_address_is_refused(client: httpx.AsyncClient, desk: Desk, address: dict[str, Any]) -> None:
    provider = await desk.draft()
    path, owner = f"/service-provider-profiles/{provider.id}", signed_in(owner_of(provider))
    answer = await client.patch(path, json={"address": address}, headers=owner)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")

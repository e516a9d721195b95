from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.api import signed_in
from tests.support.providers import Desk, People, a_service, owner_of


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
    ],
)
async def test_a_service_that_cannot_be_is_refused(
    client: httpx.AsyncClient, desk: Desk, changes: dict[str, Any], code: str
) -> None:
    provider = await desk.draft()
    answer = await client.post(
        f"/service-provider-profiles/{provider.id}/services",
        json=a_service().model_dump() | changes,
        headers=signed_in(owner_of(provider)),
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_others_services_do_not_show(client: httpx.AsyncClient, desk: Desk, people: People) -> None:
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

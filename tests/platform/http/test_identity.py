"""A route says whom it lets in."""

import httpx
import pytest

pytestmark = pytest.mark.anyio
USER = "018f0000-0000-7000-8000-000000000001"


async def test_staff_routes_refuse_others_and_admit_staff(client: httpx.AsyncClient) -> None:
    customer = await client.get("/api/v1/staff", headers={"Authorization": f"Bearer {USER}"})
    admin = await client.get("/api/v1/staff", headers={"Authorization": f"Bearer admin:{USER}"})
    assert (customer.status_code, customer.json()["code"]) == (403, "identity.staff_only")
    assert (admin.status_code, admin.json()) == (200, "admin")

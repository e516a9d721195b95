"""Owners of approved providers, who upload portraits as their pages do."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import anyio
import httpx

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import Providers
from fairground.entrypoints.compose import Program
from fairground.kernel.ids import uuid7
from tests.support.providers import a_profile

API = "/api/v1"


@dataclass(frozen=True)
class PortraitOwner:
    provider_id: UUID
    client: httpx.AsyncClient
    """Without credentials."""
    authorization: dict[str, str]

    @property
    def path(self) -> str:
        """Return the address of the avatar, without a version."""
        return f"{API}/img/avatar/{self.provider_id}"

    async def upload(self, content: bytes) -> Any:
        """Upload a picture, and return it when it is ready."""
        sent = await self._ask("POST", "/media", files={"file": ("photo.jpg", content)})
        with anyio.fail_after(60):
            while (picture := await self._ask("GET", f"/media/{sent['id']}"))["state"] == "processing":
                await anyio.sleep(0.02)
        return picture

    async def choose(self, picture: Any) -> str:
        """Make a picture the portrait, and return its address."""
        path = f"/service-provider-profiles/{self.provider_id}/picture"
        url: str = (await self._ask("PUT", path, json={"picture_id": picture["id"]}))["profile_picture_url"]
        return url

    async def place(self, picture: Any) -> None:
        """Put a picture at the end of the gallery."""
        await self._ask(
            "POST", f"/service-provider-profiles/{self.provider_id}/gallery", json={"picture_id": picture["id"]}
        )

    async def remove(self, picture: Any) -> None:
        """Remove a portrait, and wait until the catalog knows."""
        deleted = await self.client.delete(f"{API}/media/{picture['id']}", headers=self.authorization)
        deleted.raise_for_status()
        with anyio.fail_after(30):
            while (await self._ask("GET", "/me/provider"))["profile_picture_url"] is not None:
                await anyio.sleep(0.02)

    async def rename(self, name: str) -> None:
        await self._ask("PATCH", f"/service-provider-profiles/{self.provider_id}", json={"business_name": name})

    async def _ask(self, method: str, path: str, **how: Any) -> Any:
        answer = await self.client.request(method, f"{API}{path}", headers=self.authorization, **how)
        assert answer.is_success, answer.text
        return answer.json()


async def open_portrait_owner(
    program: Program, client: httpx.AsyncClient, *, name: str = "Maya Stone"
) -> PortraitOwner:
    """Open an account with an approved provider.

    Args:
        program: The one of the client, or a secondary process of its database.
    """
    accounts, catalog, mark = program.links.of(Accounts), program.links.of(Providers), uuid7()
    people = [(f"staff{mark}@example.org", "Sam", Role.ADMIN), (f"owner{mark}@example.org", "Kim", Role.PROVIDER)]
    staff, owner = await accounts.create_users_in_bulk(users=people, password="correct horse battery")
    token = (await accounts.create_token(user_id=owner.id, name="test")).secret
    provider = await catalog.create_provider(owner_id=owner.id, profile=a_profile(business_name=name))
    await catalog.submit_provider(owner_id=owner.id, provider_id=provider.id)
    await catalog.approve_provider(staff_id=staff.id, provider_id=provider.id)
    return PortraitOwner(provider.id, client, {"authorization": f"Bearer {token}"})

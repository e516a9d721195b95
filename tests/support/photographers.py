"""Owners of providers who upload photos over HTTP, as their pages do, and wait until they are public."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import anyio
import httpx

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import Providers
from fairground.platform.module import Links
from tests.support.drawn_photo import draw_photo

API = "/api/v1"
_ACROSS: Final = 8
_PATIENCE_SECONDS: Final = 900  # jobs of a demo that was built just now come first


def take_photos(count: int, *, side_px: int) -> list[bytes]:
    """Return square photographs of different things, as JPEG: parts of one that is large."""
    scene, step_px = draw_photo(side_px * 2, side_px * 2), side_px // _ACROSS
    places = [(number % _ACROSS * step_px, number // _ACROSS * step_px) for number in range(count)]
    return [bytes(scene.crop(left, top, side_px, side_px).jpegsave_buffer(Q=88)) for left, top in places]


@dataclass(frozen=True)
class Photographer:
    """The owner of a provider."""

    provider_id: UUID
    owner: httpx.AsyncClient
    """With the owner's token."""
    visitor: httpx.AsyncClient

    async def upload(self, photo: bytes, *, alt: str = "") -> str:
        """Send a photo by the form that is offered, and return its id when its sizes have been made."""
        offer = await self._post("media/uploads", {"content_type": "image/jpeg", "alt": alt})
        form, picture_id = offer["form"], str(offer["picture"]["id"])
        sent = await self.visitor.post(form["url"], data=form["fields"], files={"file": ("photo.jpg", photo)})
        assert sent.status_code == 204, sent.text
        picture = await self._post(f"media/uploads/{picture_id}/complete")
        with anyio.fail_after(_PATIENCE_SECONDS):
            while picture["state"] == "processing":
                await anyio.sleep(0.05)
                picture = (await self.owner.get(f"{API}/media/{picture_id}")).raise_for_status().json()
        assert picture["state"] == "ready", picture
        return picture_id

    async def show_portrait(self, photo: bytes) -> str:
        """Make a photo the provider's portrait, and return its id."""
        picture_id = await self.upload(photo)
        path = f"{API}/service-provider-profiles/{self.provider_id}/picture"
        (await self.owner.put(path, json={"picture_id": picture_id})).raise_for_status()
        return picture_id

    async def hang(self, photos: Iterable[tuple[bytes, str]]) -> list[str]:
        """Add photos with descriptions to the gallery, and return their ids."""
        hung = [await self.upload(photo, alt=alt) for photo, alt in photos]
        for picture_id in hung:
            await self._post(f"service-provider-profiles/{self.provider_id}/gallery", {"picture_id": picture_id})
        return hung

    async def _post(self, path: str, body: Any = None) -> Any:
        return (await self.owner.post(f"{API}/{path}", json=body)).raise_for_status().json()


@asynccontextmanager
async def photographers(
    links: Links, provider_ids: Sequence[UUID], *, base_url: str, transport: httpx.AsyncBaseTransport | None = None
) -> AsyncIterator[list[Photographer]]:
    """Give the owners of providers, each with a token, before a server."""
    accounts, catalog = links.of(Accounts), links.of(Providers)
    async with AsyncExitStack() as open_clients:

        async def client(**headers: str) -> httpx.AsyncClient:
            opened = httpx.AsyncClient(base_url=base_url, transport=transport, timeout=60, headers=headers)
            return await open_clients.enter_async_context(opened)

        visitor, found = await client(), []
        for provider_id in provider_ids:
            provider = await catalog.get_provider_ref(provider_id=provider_id)
            assert provider.owner_id is not None
            token = (await accounts.create_token(user_id=provider.owner_id, name="photographer")).secret
            found.append(Photographer(provider_id, await client(authorization=f"Bearer {token}"), visitor))
        yield found

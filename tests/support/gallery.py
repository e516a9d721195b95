"""A whole program on loopback, with clients that upload pictures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import anyio
import httpx
from starlette.types import ASGIApp

from fairground.contracts.accounts import Accounts, Role
from fairground.contracts.providers import GALLERY_MAX, Providers
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.platform.storage.keys import Retention
from tests.support.providers import a_profile

API = "/api/v1"


@dataclass(frozen=True)
class Gallery:
    program: Program
    app: ASGIApp
    owner: httpx.AsyncClient
    stranger: httpx.AsyncClient
    visitor: httpx.AsyncClient

    async def offer(self, content_type: str = "image/jpeg", **more: str) -> Any:
        answer = await self.owner.post(f"{API}/media/uploads", json={"content_type": content_type, **more})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def upload(self, content: bytes, content_type: str = "image/jpeg", **more: str) -> httpx.Response:
        """Send a picture as a page does with its script, and return the answer to its completion."""
        offer = await self.offer(content_type, **more)
        form, path = offer["form"], f"{API}/media/uploads/{offer['picture']['id']}/complete"
        sent = await self.visitor.post(form["url"], data=form["fields"], files={"file": ("../../x", content)})
        if sent.status_code != 204:
            return sent
        return await self.owner.post(path)

    async def ready(self, picture_id: str) -> Any:
        """Wait for the job, and return the picture when it has ended."""
        with anyio.fail_after(30):
            while (picture := await self.read(picture_id))["state"] == "processing":
                await anyio.sleep(0.02)
        return picture

    async def place(self, picture: Any) -> None:
        """Put a picture of the owner's on the page of a provider; the first one there makes room when it is full."""
        profile = await self.owner.get(f"{API}/me/provider")
        if profile.status_code == HTTPStatus.NOT_FOUND:
            user = (await self.owner.get(f"{API}/me")).raise_for_status().json()
            catalog = self.program.links.of(Providers)
            await catalog.create_provider(owner_id=UUID(user["id"]), profile=a_profile())
            profile = await self.owner.get(f"{API}/me/provider")
        placed = f"{API}/service-provider-profiles/{profile.raise_for_status().json()['id']}/gallery"
        there = (await self.owner.get(f"{API}/me/provider/gallery")).raise_for_status().json()["data"]
        if len(there) == GALLERY_MAX:
            (await self.owner.delete(f"{placed}/{there[0]['id']}")).raise_for_status()
        (await self.owner.post(placed, json={"picture_id": picture["id"]})).raise_for_status()

    async def read(self, picture_id: str) -> Any:
        return (await self.owner.get(f"{API}/media/{picture_id}")).raise_for_status().json()

    async def stored(self) -> list[str]:
        return sorted(
            [stored.key for kind in Retention async for stored in self.program.runtime.files.list_objects(kind)]
        )

    def count_renders(self) -> int:
        """Return how many pictures have been made since the start."""
        return sum(self.program.runtime.renderer.stats.durations.counts)


@asynccontextmanager
async def open_gallery(url: str, folder: Path) -> AsyncIterator[Gallery]:
    program = compose(Settings(database_url=url, data_dir=folder))
    async with program.running():
        accounts = program.links.of(Accounts)
        users = await accounts.create_users_in_bulk(
            users=[(f"{name}@example.org", name, Role.PROVIDER) for name in ("anna", "bert")],
            password="correct horse battery",
        )
        tokens = [(await accounts.create_token(user_id=user.id, name="test")).secret for user in users]
        app = program.build_app()
        transport = httpx.ASGITransport(app)
        clients = [
            httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", headers=headers)
            for headers in (*({"authorization": f"Bearer {token}"} for token in tokens), {})
        ]
        yield Gallery(program, app, *clients)

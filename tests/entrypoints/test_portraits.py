"""From a camera to the lists: a provider uploads a picture and chooses it, and the public sees it."""

from pathlib import Path
from typing import Any

import anyio

from tests.support.databases import copy_of
from tests.support.gallery import API, Gallery, open_gallery
from tests.support.pictures import opened, photograph
from tests.support.providers import a_profile


async def own(gallery: Gallery) -> Any:
    return (await gallery.owner.get(f"{API}/me/provider")).raise_for_status().json()


async def until_shown(gallery: Gallery, url: str | None) -> None:
    with anyio.fail_after(30):
        while (await own(gallery))["profile_picture_url"] != url:
            await anyio.sleep(0.02)


async def test_a_chosen_picture_shows_when_it_is_ready_and_goes_with_its_removal(
    sqlite_template: Path, tmp_path: Path
) -> None:
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        profile = a_profile().model_dump(mode="json", exclude_none=True)
        created = await gallery.owner.post(f"{API}/service-provider-profiles/", json=profile)
        path = f"{API}/service-provider-profiles/{created.json()['id']}/picture"
        sent = (await gallery.upload(photograph(450, 300))).json()
        chosen = await gallery.owner.put(path, json={"picture_id": sent["id"]})
        assert chosen.status_code == 200, chosen.text
        picture = await gallery.ready(sent["id"])
        version = picture["url"].partition("?")[2]
        await until_shown(gallery, f"{API}/img/avatar/{created.json()['id']}?{version}")
        shown = await gallery.visitor.get((await own(gallery))["profile_picture_url"])
        assert opened(shown.content).size == (512, 512)
        assert (await gallery.stranger.put(path, json={"picture_id": sent["id"]})).status_code == 404
        await gallery.owner.delete(f"{API}/media/{sent['id']}")
        await until_shown(gallery, None)

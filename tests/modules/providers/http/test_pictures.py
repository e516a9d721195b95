from uuid import uuid4

import httpx

from fairground.contracts.media import PictureState
from fairground.contracts.providers import GALLERY_MAX
from tests.doubles.media import FakePictures
from tests.support.api import signed_in
from tests.support.providers import Desk, owner_of

PROFILES = "/service-provider-profiles"


async def test_a_gallery_is_filled_ordered_and_emptied(
    client: httpx.AsyncClient, desk: Desk, album: FakePictures
) -> None:
    provider = await desk.approved()
    owner, path = signed_in(owner_of(provider)), f"{PROFILES}/{provider.id}/gallery"
    ready, slow = (album.add(owner_of(provider), state) for state in (PictureState.READY, PictureState.PROCESSING))
    added = [await client.post(path, json={"picture_id": str(each.id)}, headers=owner) for each in (ready, slow)]
    assert [(answer.status_code, answer.json()["state"]) for answer in added] == [(201, "ready"), (201, "processing")]
    own = [answer.json() for answer in added]
    assert (await client.get("/me/provider/gallery", headers=owner)).json() == {"data": own}
    shown = {name: value for name, value in own[0].items() if name not in {"state", "hidden_reason"}}
    for name in (provider.id, provider.slug):
        assert (await client.get(f"{PROFILES}/{name}/gallery")).json() == {"data": [shown]}

    ordered = await client.put(path, json={"picture_ids": [own[1]["id"], own[0]["id"]]}, headers=owner)
    assert (ordered.status_code, ordered.json()) == (200, {"data": own[::-1]})
    for _ in range(2):
        assert (await client.delete(f"{path}/{ready.id}", headers=owner)).status_code == 204
    assert (await client.get("/me/provider/gallery", headers=owner)).json() == {"data": own[1:]}


async def test_refusal_of_a_gallery_has_a_hint(client: httpx.AsyncClient, desk: Desk, album: FakePictures) -> None:
    provider = await desk.approved()
    owner, path = signed_in(owner_of(provider)), f"{PROFILES}/{provider.id}/gallery"
    pictures = [str(album.add(owner_of(provider), PictureState.READY).id) for _ in range(GALLERY_MAX + 1)]
    for picture_id in pictures[:-1]:
        await client.post(path, json={"picture_id": picture_id}, headers=owner)
    full = await client.post(path, json={"picture_id": pictures[-1]}, headers=owner)
    changed = await client.put(path, json={"picture_ids": pictures[:-2]}, headers=owner)
    long = await client.put(path, json={"picture_ids": pictures}, headers=owner)
    strange = await client.post(path, json={"picture_id": str(uuid4())}, headers=owner)
    answers = [(answer.status_code, answer.json()["code"]) for answer in (full, changed, long, strange)]
    assert answers == [
        (409, "catalog.gallery_full"),
        (409, "catalog.gallery_changed"),
        (422, "request.invalid"),
        (404, "media.picture_not_found"),
    ]
    assert "DELETE" in full.json()["hint"]
    assert "GET /api/v1/me/provider/gallery" in changed.json()["hint"]


async def test_only_its_owner_changes_a_gallery(client: httpx.AsyncClient, desk: Desk, album: FakePictures) -> None:
    provider, other = await desk.approved(), await desk.approved()
    path, picture = f"{PROFILES}/{provider.id}/gallery", album.add(owner_of(other), PictureState.READY)
    body, order = {"picture_id": str(picture.id)}, {"picture_ids": [str(picture.id)]}
    for headers, status in (({}, 401), (signed_in(owner_of(other)), 404)):
        assert (await client.post(path, json=body, headers=headers)).status_code == status
        assert (await client.put(path, json=order, headers=headers)).status_code == status
        assert (await client.delete(f"{path}/{picture.id}", headers=headers)).status_code == status
    assert (await client.get("/me/provider/gallery")).status_code == 401


async def test_gallery_of_an_unapproved_provider_is_not_found(client: httpx.AsyncClient, desk: Desk) -> None:
    provider = await desk.submitted()
    for name in (provider.id, provider.slug, uuid4(), "unknown"):
        assert (await client.get(f"{PROFILES}/{name}/gallery")).status_code == 404


async def test_no_response_about_a_gallery_embeds_a_picture(
    client: httpx.AsyncClient, desk: Desk, album: FakePictures
) -> None:
    provider = await desk.approved()
    owner, path = signed_in(owner_of(provider)), f"{PROFILES}/{provider.id}/gallery"
    picture = album.add(owner_of(provider), PictureState.READY)
    assert picture.placeholder is not None
    assert picture.placeholder.startswith("data:")
    added = await client.post(path, json={"picture_id": str(picture.id)}, headers=owner)
    ordered = await client.put(path, json={"picture_ids": [str(picture.id)]}, headers=owner)
    public, own = await client.get(path), await client.get("/me/provider/gallery", headers=owner)
    for answer in (added, ordered, public, own):
        assert answer.is_success
        assert "data:" not in answer.text
    [shown] = public.json()["data"]
    assert shown["placeholder"] == f"{picture.url}&w=32&q=40"

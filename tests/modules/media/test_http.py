"""Pictures over HTTP: forms, refusals as problem documents, and files that are sent to do harm."""

from typing import Final

import httpx
import pytest

from tests.support.gallery import API, Gallery
from tests.support.hostile_pictures import list_hostile
from tests.support.pictures import photograph

PHOTO: Final = photograph(450, 300)


async def test_a_picture_is_brought_by_a_form_read_and_removed(gallery: Gallery) -> None:
    completed = await gallery.upload(PHOTO, alt=" A pianist ")
    assert completed.status_code == 202
    picture = await gallery.ready(completed.json()["id"])
    assert (picture["state"], picture["width_px"], picture["height_px"]) == ("ready", 450, 300)
    assert (picture["alt"], picture["refusal"]) == ("A pianist", None)
    path = f"{API}/media/{picture['id']}"
    again = await gallery.owner.post(f"{API}/media/uploads/{picture['id']}/complete")
    assert (again.status_code, again.json()) == (200, picture)
    assert (await gallery.visitor.get(path)).status_code == 401
    assert (await gallery.stranger.get(path)).json()["code"] == "media.picture_not_found"
    described = await gallery.owner.patch(path, json={"alt": "A pianist at night"})
    assert (described.status_code, described.json()) == (200, await gallery.read(picture["id"]))
    assert described.json()["alt"] == "A pianist at night"
    assert (await gallery.stranger.patch(path, json={"alt": "x"})).json()["code"] == "media.picture_not_found"
    assert (await gallery.owner.patch(path, json={"alt": "x" * 501})).json()["code"] == "media.alt_invalid"
    assert (await gallery.owner.delete(path)).status_code == 204
    assert (await gallery.owner.get(path)).status_code == 404


async def test_a_form_without_script_brings_a_picture_at_once(gallery: Gallery) -> None:
    sent = await gallery.owner.post(f"{API}/media", data={"alt": "A stage"}, files={"file": ("x.jpg", PHOTO)})
    assert sent.status_code == 202, sent.text
    assert (await gallery.ready(sent.json()["id"]))["alt"] == "A stage"
    again = await gallery.owner.post(f"{API}/media", files={"file": ("x.jpg", PHOTO)})
    assert (again.status_code, again.json()["state"]) == (200, "ready")


async def test_a_form_without_script_keeps_to_the_same_rules(gallery: Gallery) -> None:
    async def send(client: httpx.AsyncClient, content: bytes, **fields: str) -> tuple[int, str]:
        answer = await client.post(f"{API}/media", data=fields, files={"file": ("x.jpg", content)})
        return answer.status_code, answer.json()["code"]

    before = await gallery.stored()
    assert await send(gallery.visitor, PHOTO) == (401, "identity.sign_in_needed")
    assert await send(gallery.owner, b"") == (422, "storage.upload_refused")
    assert await send(gallery.owner, PHOTO[:500]) == (422, "images.broken")
    assert await send(gallery.owner, PHOTO, alt="x" * 501) == (422, "media.alt_invalid")
    assert await send(gallery.owner, bytes(21 * 1024 * 1024)) == (422, "storage.upload_too_large")
    assert (await gallery.owner.post(f"{API}/media", json={})).json()["code"] == "storage.upload_refused"
    assert await gallery.stored() == before
    assert list(gallery.program.settings.incoming_dir.iterdir()) == []


async def test_other_types_get_no_form(gallery: Gallery) -> None:
    answer = await gallery.owner.post(f"{API}/media/uploads", json={"content_type": "image/gif"})
    assert (answer.status_code, answer.json()["code"]) == (422, "images.type_refused")


@pytest.mark.timeout(300)
async def test_files_that_are_sent_to_do_harm_are_refused_and_not_kept(gallery: Gallery) -> None:
    hostile, before = list(list_hostile()), await gallery.stored()
    assert len(hostile) >= 60
    for name, content, code in hostile:
        offered = _type_of(name)
        answer = await gallery.upload(content, offered)
        assert answer.status_code == 422, f"{name}: {answer.text}"
        expected = {code} if content else {"storage.upload_refused"}
        assert answer.json()["code"] in expected | {"images.type_mismatch"}, name
    assert await gallery.stored() == before


def _type_of(name: str) -> str:
    kind = name.split(maxsplit=1)[0].rstrip(",")
    return f"image/{kind}" if kind in {"png", "webp", "avif"} else "image/jpeg"

"""What is counted of pictures, as Prometheus reads it at the port of a program that shows some."""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

import pytest

from fairground.entrypoints.server import metrics_of
from fairground.kernel.ids import uuid7
from tests.support.databases import copy_of
from tests.support.gallery import API, Gallery, open_gallery
from tests.support.pictures import photograph
from tests.support.scraping import Samples, labelled, read


def counted(shown: Samples, name: str, label: str, values: Iterable[str]) -> dict[str, float]:
    return {value: shown.get(labelled(name, **{label: value}), 0) for value in values}


async def ask_in_every_way(gallery: Gallery) -> int:
    """Bring a picture and look at it; return how many bytes were shown."""
    assert (await gallery.upload(b"<svg/>")).status_code == 422
    picture = await gallery.ready((await gallery.upload(photograph(450, 600))).json()["id"])
    await gallery.place(picture)
    url = f"{picture['url']}&w=64&fmt=webp"
    first = await gallery.visitor.get(url)
    await gallery.visitor.get(url, headers={"if-none-match": first.headers["etag"]})
    again = await gallery.visitor.get(url)
    # This one is in memory by now, and no question to the routes any more.
    await gallery.visitor.head(url)
    await gallery.visitor.get(f"{url}&q=1000")
    await gallery.visitor.get(f"{API}/img/{uuid7()}")
    # One is made and one waits.
    rush = await asyncio.gather(*(gallery.visitor.get(f"{picture['url']}&w={width}") for width in (32, 96, 128)))
    assert sorted(answer.status_code for answer in rush) == [200, 200, 503]
    return sum(len(answer.content) for answer in (first, again, *rush) if answer.status_code == HTTPStatus.OK)


async def test_pictures_are_counted_by_how_they_came_and_went(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRGROUND_IMAGES_RENDERERS", "1")
    monkeypatch.setenv("FAIRGROUND_IMAGES_QUEUE_MAX", "1")
    async with open_gallery(copy_of(sqlite_template, tmp_path), tmp_path / "data") as gallery:
        size_bytes = await ask_in_every_way(gallery)
        async with metrics_of(gallery.program).shown_at("127.0.0.1", 0) as port:
            shown = await read(port)
    requests = {"rendered": 3, "kept": 1, "not_modified": 1, "refused": 2, "busy": 1, "redirected": 0, "failed": 0}
    assert counted(shown, "image_requests_total", "outcome", requests) == requests
    assert shown[labelled("http_requests_repeated_total")] == 1
    assert shown[labelled("image_bytes_total")] == size_bytes
    uploads = {"taken": 1, "images.type_refused": 1}
    assert counted(shown, "picture_uploads_total", "outcome", uploads) == uploads
    assert shown[labelled("image_render_duration_seconds_count")] == 4
    assert shown[labelled("image_render_failures_total", code="images.renderer_busy")] == 1
    assert shown[labelled("image_renders_waiting")] == 0
    assert shown[labelled("image_children_started_total")] == 1

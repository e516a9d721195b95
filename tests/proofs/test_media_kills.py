"""Killed anywhere between a form and the last size: the next run ends like an undisturbed one, with no orphan."""

import random
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from fairground.contracts.media import PictureState
from fairground.modules.media.tables import OriginalRow, PictureRow, RenditionRow
from fairground.platform.jobs.held_jobs import rescue_stalled
from tests.support import processes
from tests.support.dying_uploader import OWNER, PHOTO, upload_and_die
from tests.support.proofs import Dose
from tests.support.server_process import FailPoint
from tests.support.studio import Studio, open_studio

pytestmark = pytest.mark.timeout(900)

_MEDIA: Final = "fairground.modules.media"
_UPLOADS: Final = f"{_MEDIA}.service.uploads"
_RENDITIONS: Final = f"{_MEDIA}.service.renditions"
POINTS: Final = (
    FailPoint("the form is written, not committed", f"{_MEDIA}.store", "insert_picture", "after"),
    FailPoint("the file is in quarantine", _UPLOADS, "Uploads.complete_upload", "before"),
    FailPoint("the original is about to be kept", _UPLOADS, "Originals.store", "before"),
    FailPoint("the original is kept, nothing is written", _UPLOADS, "Originals.store", "after"),
    FailPoint("the original is written, not committed", f"{_MEDIA}.store", "save_original", "after"),
    FailPoint("the picture is accepted, not committed", f"{_MEDIA}.store", "accept_picture", "after"),
    FailPoint("it is accepted, and still in quarantine", _UPLOADS, "delete_upload", "before"),
    FailPoint("the job begins", _RENDITIONS, "PictureRendering.on_render_picture", "before"),
    FailPoint("the sizes are made, none is kept", _RENDITIONS, "Renditions.render", "after"),
    FailPoint("the first size is about to be kept", _RENDITIONS, "Renditions.store", "before"),
    FailPoint("the first size is kept", _RENDITIONS, "Renditions.store", "after"),
    FailPoint("the second size is kept", _RENDITIONS, "Renditions.store", "after", nth=2),
    FailPoint("the third size is kept", _RENDITIONS, "Renditions.store", "after", nth=3),
    FailPoint("the fourth size is kept", _RENDITIONS, "Renditions.store", "after", nth=4),
    FailPoint("the last size is kept", _RENDITIONS, "Renditions.store", "after", nth=5),
    FailPoint("the properties are written, not committed", f"{_MEDIA}.store", "record_properties", "after"),
    FailPoint("the sizes are written, not committed", f"{_MEDIA}.store", "insert_renditions", "after"),
    FailPoint("the picture is about to be ready", f"{_MEDIA}.store", "mark_ready", "before"),
    FailPoint("it is ready, not committed", f"{_MEDIA}.store", "mark_ready", "after"),
    FailPoint("it is ready and committed", _RENDITIONS, "PictureRendering.on_render_picture", "after"),
)


async def test_a_process_that_dies_on_the_way_costs_nothing(migrated_url: str, tmp_path: Path, dose: Dose) -> None:
    async with open_studio(migrated_url, tmp_path / "undisturbed") as studio:
        await studio.upload(OWNER, PHOTO)
        await studio.work()
        expected = await studio.everything(), await rows(studio)
        await remove_all(studio)
    for number, point in enumerate(random.sample(POINTS, dose(small=2, full=len(POINTS)))):
        folder = tmp_path / str(number)
        uploader = processes.start(upload_and_die, url=migrated_url, folder=folder, point=point)
        uploader.join(timeout=60)
        assert uploader.exitcode == -9, f"{point.name} is nowhere on the way"
        async with open_studio(migrated_url, folder) as studio:
            await go_on(studio)
            await take_jobs_of_the_dead(studio)
            await studio.work()
            await studio.collect()
            assert (await studio.everything(), await rows(studio)) == expected, point.name
            assert len(studio.events) <= 1, point.name
            await remove_all(studio)
        shutil.rmtree(folder)


async def take_jobs_of_the_dead(studio: Studio) -> None:
    """Let the leases end, and rescue the jobs, as a worker does from time to time."""
    studio.db.clock_shift = timedelta(hours=1)
    async with studio.db.write() as tx:
        await rescue_stalled(tx, limit=100)
    studio.db.clock_shift = timedelta(hours=2)


async def go_on(studio: Studio) -> None:
    """Do what the owner's page would do: complete the upload, or begin another one where there is none."""
    async with studio.db.read() as tx:
        begun = await tx.one_or_none(select(PictureRow.id, PictureRow.state))
    if begun is None:
        await studio.upload(OWNER, PHOTO)
    elif begun.state == PictureState.AWAITED:
        await studio.pictures.complete_upload(owner_id=OWNER, picture_id=begun.id)


async def rows(studio: Studio) -> list[object]:
    async with studio.db.read() as tx:
        states = await tx.scalars(select(PictureRow.state))
        look = await tx.all(select(OriginalRow.digest, OriginalRow.key, OriginalRow.width_px, OriginalRow.placeholder))
        made = await tx.all(select(RenditionRow.recipe, RenditionRow.key).order_by(RenditionRow.recipe))
    return [states, [tuple(row) for row in look], [tuple(row) for row in made]]


async def remove_all(studio: Studio) -> None:
    async with studio.db.read() as tx:
        pictures = await tx.scalars(select(PictureRow.id))
    for picture_id in pictures:
        await studio.pictures.delete_picture(owner_id=OWNER, picture_id=picture_id)

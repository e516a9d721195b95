"""Killed anywhere while pictures of an import become files: the next run ends like an undisturbed one."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from sqlalchemy import func, select

from fairground.entrypoints.compose import Program
from fairground.modules.imports.tables import EmbeddedPictureRow
from fairground.modules.media.tables import PictureRow
from fairground.modules.providers.tables import GalleryRow, PortraitRow
from fairground.platform.jobs.held_jobs import rescue_stalled
from tests.support import processes
from tests.support.databases import copy_of
from tests.support.embedded import ROWS, bring_in
from tests.support.picture_migrator import a_program, make_files, migrate_and_die
from tests.support.proofs import Dose
from tests.support.server_process import FailPoint

pytestmark = pytest.mark.timeout(900)

_PLACEMENT: Final = "fairground.modules.imports.service.picture_placement"
_STORE: Final = "fairground.modules.imports.store"
_MEDIA: Final = "fairground.modules.media.service.uploads"
POINTS: Final = (
    FailPoint("pictures wait, not committed", _STORE, "stage_pictures", "after"),
    FailPoint("the run is written, not committed", _STORE, "insert_migration", "after"),
    FailPoint("the second picture is about to be handed over", _MEDIA, "Uploads.add_picture", "before", nth=2),
    FailPoint("media has the third, catalog has not recorded it", _MEDIA, "Uploads.add_picture", "after", nth=3),
    FailPoint("a picture is taken, not committed", _STORE, "mark_taken", "after"),
    FailPoint("a picture has failed, not committed", _STORE, "mark_failed", "after"),
    FailPoint("a picture is rendered", "fairground.modules.media.store", "mark_ready", "after"),
    FailPoint("the first is migrated, not committed", _STORE, "mark_migrated", "after"),
    FailPoint("the second is in its place and committed", _PLACEMENT, "PicturePlacement._place", "after", nth=2),
    FailPoint("the run has ended, not committed", _STORE, "finish_migration", "after"),
)


async def test_a_process_that_dies_on_the_way_changes_nothing_of_the_end(
    sqlite_template: Path, tmp_path: Path, dose: Dose
) -> None:
    chosen = random.sample(POINTS, dose(small=1, full=len(POINTS)))
    expected = await go_on(sqlite_template, tmp_path / "undisturbed", point=None)
    assert expected["states"] == {"failed": 3, "migrated": 4}
    assert (expected["portraits"], expected["gallery"], expected["pictures"]) == (1, 3, 4)
    for number, point in enumerate(chosen):
        assert await go_on(sqlite_template, tmp_path / str(number), point=point) == expected, point.name


async def go_on(template: Path, folder: Path, *, point: FailPoint | None) -> dict[str, Any]:
    """Let a process die at a point, do its work to the end in another one, and return what is there then."""
    folder.mkdir()
    url = copy_of(template, folder)
    if point is not None:
        dying = processes.start(migrate_and_die, url=url, folder=folder, point=point)
        dying.join(timeout=60)
        assert dying.exitcode == -9, f"{point.name} is nowhere on the way"
    program = a_program(url, folder)
    await take_jobs_of_the_dead(program)
    async with program.running():
        # Repeat the import and the migration, as an operator does who does not know how far they went.
        await bring_in(program, ROWS, folder=folder)
        await make_files(program)
        assert [run.found for run in await make_files(program)] == [0, 0]
        return await read(program)


async def take_jobs_of_the_dead(program: Program) -> None:
    program.db.clock_shift = timedelta(hours=1)
    async with program.db.write() as tx:
        await rescue_stalled(tx, limit=100)
    program.db.clock_shift = timedelta(hours=2)


async def read(program: Program) -> dict[str, Any]:
    states = select(EmbeddedPictureRow.state, func.count()).group_by(EmbeddedPictureRow.state)
    async with program.db.read() as tx:
        return {
            "states": dict(await tx.all(states)),
            "portraits": await tx.scalar(select(func.count()).select_from(PortraitRow)),
            "gallery": await tx.scalar(select(func.count()).select_from(GalleryRow)),
            "pictures": await tx.scalar(select(func.count()).select_from(PictureRow)),
        }

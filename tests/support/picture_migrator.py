"""A process that imports rows with pictures in them, makes files of them, and is killed in between."""

import asyncio
from pathlib import Path

from fairground.contracts.imports import EmbeddedPictures, PictureMigration, PictureSubject
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from tests.support.embedded import ROWS, bring_in
from tests.support.server_process import FailPoint


def migrate_and_die(*, url: str, folder: Path, point: FailPoint) -> None:
    point.arm()
    asyncio.run(_migrate(url, folder))


async def _migrate(url: str, folder: Path) -> None:
    program = a_program(url, folder)
    async with program.running():
        await bring_in(program, ROWS, folder=folder)
        await make_files(program)


def a_program(url: str, folder: Path) -> Program:
    return compose(Settings(database_url=url, data_dir=folder))


async def make_files(program: Program) -> list[PictureMigration]:
    """Run both migrations, or go on with those that were begun, and return how they ended."""
    embedded = program.links.of(EmbeddedPictures)
    return [await _run(embedded, subject) for subject in PictureSubject]


async def _run(embedded: EmbeddedPictures, subject: PictureSubject) -> PictureMigration:
    run = await embedded.start_migration(subject=subject, actor=None)
    while run.finished_at is None:
        await asyncio.sleep(0.05)
        run = await embedded.get_migration(migration_id=run.id)
    return run

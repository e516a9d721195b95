"""Workers are killed and frozen in the middle of their jobs: every job has its effect once, and none is lost.

A frozen worker is the hard case. It wakes up believing that its jobs are still its own, long after others have done
them. The control shows that it then does write, when nothing checks the fence.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from fairground.kernel.messages import Job
from fairground.platform.db.database import Database
from fairground.platform.jobs.dead_letters import count_jobs, list_dead_letters
from fairground.platform.jobs.lifecycle import JobState
from fairground.platform.jobs.outbox import JobOutbox, Routes
from tests.platform.jobs.outage import outage
from tests.proofs.chaos_crew import Crew
from tests.proofs.chaos_worker import EFFECTS, Chaos, Explode, Leave, Neighbour, routes_of
from tests.support.proofs import IS_FULL, Dose

RecordFigure = Callable[[str, float, str], None]
SECONDS = 600 if IS_FULL else 60

pytestmark = pytest.mark.timeout(SECONDS + 60)


@pytest.fixture
def outbox() -> JobOutbox:
    return JobOutbox(Routes())


@pytest.fixture
def chaos(db: Database, outbox: JobOutbox) -> Iterator[Database]:
    """Give a database that has the table of effects, and whose jobs go to the workers of the crew."""
    outbox.routes = routes_of(Chaos(db))
    engine = db.backend.migration_engine()
    EFFECTS.create(engine)
    yield db
    EFFECTS.drop(engine)
    engine.dispose()


@asynccontextmanager
async def working(crew: Crew) -> AsyncIterator[Crew]:
    try:
        yield crew
        await crew.until_all_have_ended(seconds=SECONDS)
        assert set(crew.stop()) == {0}
    finally:
        crew.close()


async def enqueue(db: Database, *jobs: Job) -> None:
    async with db.write() as tx:
        for job in jobs:
            await tx.enqueue(job)


async def effects(db: Database) -> tuple[int, int]:
    """Return how many effects there are, and of how many different jobs."""
    async with db.read() as tx:
        row = await tx.one_or_none(select(func.count(), func.count(EFFECTS.c.number.distinct())).select_from(EFFECTS))
    return row[0], row[1]


async def enqueue_beside(db: Database, jobs: int, torments: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Enqueue so many jobs in as many parts as there are torments, each of which then meets workers that are busy."""
    numbers = [Leave(number=number) for number in range(jobs)]
    for part, torment in enumerate(torments):
        await enqueue(db, *numbers[part :: len(torments)])
        await asyncio.sleep(random.uniform(0, 0.4))
        await torment()


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_jobs_happen_once_while_workers_are_killed_and_frozen(
    chaos: Database, migrated_url: str, tmp_path: Path, dose: Dose, figure: RecordFigure
) -> None:
    jobs, kills, freezes = dose(small=(20, 1, 1), full=(300, 17, 12))

    async def cut_off() -> None:
        with outage(migrated_url):
            await asyncio.sleep(1)

    async with working(Crew(chaos, url=migrated_url, size=dose(small=2, full=3), folder=tmp_path)) as crew:
        torments = [crew.kill_one] * kills + [crew.freeze_one] * freezes + [cut_off] * dose(small=1, full=4)
        random.shuffle(torments)
        await enqueue_beside(chaos, jobs, torments)
    assert (crew.kills, crew.freezes) == (kills, freezes)
    assert await effects(chaos) == (jobs, jobs)
    assert (await count_jobs(chaos))[JobState.DONE] == jobs
    figure("jobs, each with one effect", jobs, "jobs")
    figure("workers killed", kills, "times")
    figure("workers frozen past their lease", freezes, "times")
    figure("zombie writes refused", crew.count_in_log("refused"), "writes")


@pytest.mark.parametrize("dialect", ["postgres"])
async def test_control_without_the_fence_frozen_workers_do_jobs_twice(
    chaos: Database, migrated_url: str, tmp_path: Path, dose: Dose, figure: RecordFigure
) -> None:
    jobs, freezes = dose(small=(30, 2), full=(300, 12))
    size = dose(small=2, full=3)
    async with working(Crew(chaos, url=migrated_url, size=size, folder=tmp_path, has_fence=False)) as crew:
        await enqueue_beside(chaos, jobs, [crew.freeze_one] * freezes)
    happened, different = await effects(chaos)
    assert different == jobs
    assert happened > jobs
    figure(f"effects of {jobs} jobs without the fence", happened, "effects")


@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_jobs_happen_once_while_the_only_worker_is_killed(
    chaos: Database, migrated_url: str, tmp_path: Path, dose: Dose, figure: RecordFigure
) -> None:
    jobs, kills = dose(small=(20, 2), full=(200, 22))
    async with working(Crew(chaos, url=migrated_url, size=1, folder=tmp_path)) as crew:
        await enqueue_beside(chaos, jobs, [crew.kill_one] * kills)
    assert crew.kills == kills
    assert await effects(chaos) == (jobs, jobs)
    assert (await count_jobs(chaos))[JobState.DONE] == jobs
    figure("jobs, each with one effect", jobs, "jobs")
    figure("workers killed", kills, "times")


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"] if IS_FULL else ["sqlite"])
async def test_a_job_that_kills_its_worker_ends_dead_and_its_neighbours_are_done(
    chaos: Database, migrated_url: str, tmp_path: Path
) -> None:
    await enqueue(chaos, Neighbour(number=1), Explode(), Neighbour(number=2))
    async with working(Crew(chaos, url=migrated_url, size=1, folder=tmp_path)):
        pass
    (letter,) = await list_dead_letters(chaos, limit=10)
    assert (letter.kind, letter.attempt, letter.crashes) == ("chaos:chaos.explode.v1", 3, 3)
    assert await effects(chaos) == (2, 2)

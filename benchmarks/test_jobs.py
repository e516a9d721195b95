"""Jobs that do nothing: our worker against pgqueuer's on PostgreSQL, with the same batch.

CPU is that of the worker's process. What PostgreSQL takes for the same jobs is compared beside it: all processes of a
server on which one worker runs at a time.
"""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from benchmarks.job_runs import OUR_WORKER, run_jobs
from benchmarks.measuring import Rounds, postgres_process
from benchmarks.peers import pgqueuer
from benchmarks.results import Recorder, in_postgres
from tests.support.databases import migrate
from tests.support.postgres import fresh_database
from tests.support.proofs import Dose
from tools.guardian import Server

SECTION: Final = "Jobs that do nothing"
OURS: Final = (Path(sys.executable), OUR_WORKER)


@pytest.fixture(scope="module")
def peer_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pgqueuer.install(tmp_path_factory.mktemp("pgqueuer"))


# Ten is pgqueuer's default. Ours is the setting of concurrency, the most that a worker claims at once.
@pytest.mark.parametrize("batch", [10, 100])
def test_jobs_on_postgres(postgres_server: Server, peer_python: Path, batch: int, dose: Dose, record: Recorder) -> None:
    jobs = dose(small=1_000, full=5_000)
    server = postgres_process(postgres_server.url)
    programs = {"ours": OURS, "theirs": (peer_python, pgqueuer.WORKER)}
    rounds = Rounds()
    for name in rounds.turns(*programs, warm_up=False):  # each process warms up by itself
        with _database(postgres_server, is_ours=name == "ours") as url:
            worker, database = run_jobs(*programs[name], url=url, jobs=jobs, batch=batch, server=server)
        rounds.add(name, worker)
        rounds.add(in_postgres(name), database)
    what, against = f"a job on PostgreSQL, {batch} at once", pgqueuer.NAME
    record.compare(SECTION, what, against, rounds, unit="job", cpu_ratio_max=1)
    record.compare_databases(SECTION, what, against, rounds, unit="job")


@contextlib.contextmanager
def _database(server: Server, *, is_ours: bool) -> Iterator[str]:
    with fresh_database(server) as url:
        if is_ours:
            migrate(url)
        yield url

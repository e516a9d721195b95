"""jobs list, jobs requeue: dead letters."""

from typing import Annotated
from uuid import UUID

import typer

from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.platform.jobs.dead_letters import count_jobs, list_dead_letters, requeue


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Show background jobs and retry failed ones.", no_args_is_help=True)
    commands.command("list")(list_jobs)
    commands.command("requeue")(requeue_job)
    app.add_typer(commands, name="jobs")


def list_jobs(
    limit: Annotated[int, typer.Option(help="Maximum number of failed jobs to list.", min=1, max=10_000)] = 50,
) -> None:
    """Count jobs by state and list failed ones.

    Failed jobs are retried automatically with increasing delays. After the last attempt a job is dead: it is listed
    with its id, kind and last error, newest first.
    """

    async def list_them(program: Program) -> None:
        counts = await count_jobs(program.db)
        typer.echo("  ".join(f"{state}: {count}" for state, count in counts.items()) or "No jobs.")
        for letter in await list_dead_letters(program.db, limit=limit):
            typer.echo(f"{letter.id}  {letter.finished_at:%Y-%m-%d %H:%M} UTC  {letter.kind}  {letter.error}")

    run_secondary(list_them)


def requeue_job(
    job_id: Annotated[
        UUID, typer.Argument(help="The job id shown by `fairground jobs list`.", metavar="ID", show_default=False)
    ],
) -> None:
    """Retry a dead job.

    The job gets all its attempts again. Fix the error first.
    """

    async def requeue_it(program: Program) -> None:
        await requeue(program.db, job_id=job_id)

    run_secondary(requeue_it)
    typer.echo(f"Job {job_id} is queued again.")

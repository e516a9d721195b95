"""jobs list, jobs requeue: dead letters."""

from typing import Annotated
from uuid import UUID

import typer

from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.platform.jobs.dead_letters import count_jobs, list_dead_letters, requeue


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Show background jobs, and retry dead ones.", no_args_is_help=True)
    commands.command("list")(list_jobs)
    commands.command("requeue")(requeue_job)
    app.add_typer(commands, name="jobs")


def list_jobs(
    limit: Annotated[int, typer.Option(help="At most this many dead jobs.", min=1, max=10_000)] = 50,
) -> None:
    """Count jobs by state, and list the dead ones.

    A job that failed is retried by itself, with a growing delay; after its last attempt it is dead. Each dead job is
    shown with its id, its kind and its last error, the latest first.
    """

    async def list_them(program: Program) -> None:
        counts = await count_jobs(program.db)
        typer.echo("  ".join(f"{state}: {count}" for state, count in counts.items()) or "There are no jobs.")
        for letter in await list_dead_letters(program.db, limit=limit):
            typer.echo(f"{letter.id}  {letter.finished_at:%Y-%m-%d %H:%M} UTC  {letter.kind}  {letter.error}")

    run_secondary(list_them)


def requeue_job(
    job_id: Annotated[
        UUID, typer.Argument(help="As `fairground jobs list` shows it.", metavar="ID", show_default=False)
    ],
) -> None:
    """Retry a dead job.

    The job gets its full number of attempts again. Correct the cause of its error first.
    """

    async def requeue_it(program: Program) -> None:
        await requeue(program.db, job_id=job_id)

    run_secondary(requeue_it)
    typer.echo(f"Job {job_id} waits for a worker.")

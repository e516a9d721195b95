"""demo: three hundred invented providers, in the database of the settings or in the new file that `up` starts with."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
import uvloop

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.messaging import Messages
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Risk, Settings, SettingsError
from fairground.modules.payments.module import SANDBOX_FILE
from fairground.ops.demo.plan import DemoPlan, DemoProvider
from fairground.ops.demo.plan_builder import PROVIDERS, SEED, build_plan
from fairground.ops.demo.plan_writer import ADMIN_EMAIL, PASSWORD, Contracts, PlanWriter
from fairground.platform.db.schema import upgrade_schema
from fairground.platform.jobs.store import has_work
from fairground.platform.logs import configure_logs

_INTERRUPTED_EXIT_CODE: Final = 130
_JOBS_SECONDS: Final = 0.1  # between two looks whether jobs are left
_PARENT_SECONDS: Final = 0.2  # between two looks whether the parent is alive


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    *,
    seed: Annotated[int, typer.Option(help="The same seed makes the same demo.")] = SEED,
    into_this_database: Annotated[
        bool, typer.Option("--into-this-database", help="Yes, into the database that the settings name.")
    ] = False,
) -> None:
    """Fill an empty installation with invented providers.

    Three hundred of them come with services, free times, bookings, reviews and pictures, and with accounts to sign in
    as, which are printed at the end. `fairground up` does this by itself in a database file that it has just made.
    """
    if not into_this_database:
        raise Mistake("The demo writes into the database that the settings name. Add --into-this-database to say so.")

    async def build(program: Program) -> str:
        await require_place_for_demo(program)
        typer.echo("Building the demo, which takes a minute or less …", err=True)
        return await build_demo(program, seed=seed)

    typer.echo(run_secondary(build, is_silent=True))


async def build_demo(program: Program, *, seed: int, provider_count: int = PROVIDERS) -> str:
    """Write the demo into an empty installation and return a text that names its accounts.

    Raises:
        Mistake, SettingsError: See `require_place_for_demo`.
    """
    await require_place_for_demo(program)
    links = program.links
    plan = build_plan(seed=seed, verticals=program.verticals, provider_count=provider_count)
    contracts = Contracts(
        links.of(Accounts), links.of(Providers), links.of(Bookings), links.of(Reviews), links.of(Messages)
    )
    today = datetime.now(UTC).date()
    writer = PlanWriter(contracts, plan=plan, today=today, pictures_dir=program.settings.pictures_dir)
    content = await writer.write()
    for module in program.modules:
        if module.demo is not None:
            await module.demo(content)
    return _describe(plan)


async def require_place_for_demo(program: Program) -> None:
    """Refuse an installation in which a demo would do harm.

    Raises:
        Mistake: The installation has users already.
        SettingsError: Others could reach the demo's accounts, whose password is public.
    """
    if not program.settings.allows(Risk.DEMO_ACCOUNTS):
        raise SettingsError(
            f"The demo's accounts have a public password, and {program.settings.address} can be reached by others."
            f" Build it on 127.0.0.1, or set FAIRGROUND_ALLOW={Risk.DEMO_ACCOUNTS}."
        )
    if await program.links.of(Accounts).count_users():
        raise Mistake("This installation has users already; the demo is for an empty one. Name another database.")


def build_demo_file(settings: Settings, file: Path) -> None:
    """Build the demo for `up`, in a second file that is renamed to the database file when it is complete."""
    if not settings.allows(Risk.DEMO_ACCOUNTS):
        typer.echo(
            f"No demo is built: others can reach {settings.address}, and the demo's password is public."
            " Open your account with: fairground users create --role admin",
            err=True,
        )
        return
    aside = file.with_name(f"{file.name}.building")
    remove_interrupted(settings, aside)
    typer.echo("Building the demo, which takes some seconds …", err=True)
    # In a process of its own, so that its memory is returned to the system. It ends with this process.
    builder = multiprocessing.get_context("fork").Process(target=_build_aside, args=(settings, aside), daemon=True)
    # Ctrl-C waits until the fork is done: Python drops exceptions that are raised during its steps around a fork.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    builder.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    builder.join()
    if builder.exitcode:
        raise Mistake("The demo could not be built, for the reason above. Correct that, and start again.")
    with aside.open("rb") as built:
        os.fsync(built.fileno())
    aside.rename(file)


def remove_interrupted(settings: Settings, aside: Path) -> None:
    """Remove what a build left that was interrupted, with its play money: the next one has other payments."""
    leftovers = list(aside.parent.glob(f"{aside.name}*"))
    if leftovers:
        leftovers += settings.data_dir.glob(f"{SANDBOX_FILE}*")
    for leftover in leftovers:
        leftover.unlink()


def end_with_parent(parent_id: int) -> None:
    """End this process when its parent is killed: it has inherited the port and the lock, which the next `up` needs."""

    def watch() -> None:
        while os.getppid() == parent_id:
            time.sleep(_PARENT_SECONDS)
        os._exit(_INTERRUPTED_EXIT_CODE)

    threading.Thread(target=watch, daemon=True).start()


def _build_aside(settings: Settings, aside: Path) -> None:
    end_with_parent(os.getppid())
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _build_demo_into(settings, aside)
    except KeyboardInterrupt:
        # Ctrl-C reaches both processes; the other one ends with a code for it.
        sys.exit(_INTERRUPTED_EXIT_CODE)


def _build_demo_into(settings: Settings, aside: Path) -> None:
    # The events of three hundred providers and their payments are left out of the log.
    configure_logs(level=logging.WARNING)
    # Nearly every object lives to the end of this process, so a collection would free nothing.
    gc.disable()
    program = compose(settings.with_database_file(aside), is_silent=True)
    program.db.backend.commit_without_disk()
    upgrade_schema(program.db.backend, program.histories)

    async def build() -> str:
        try:
            text = await build_demo(program, seed=SEED)
            await _run_due_jobs(program)
            return text
        finally:
            await program.db.close()

    typer.echo(uvloop.run(build()), err=True)


async def _run_due_jobs(program: Program) -> None:
    """Run the jobs that the demo has left, so that ratings and lists are there before the address is printed."""
    async with program.worker.running():
        while True:
            async with program.db.read() as tx:
                if not await has_work(tx):
                    return
            await asyncio.sleep(_JOBS_SECONDS)


def _describe(plan: DemoPlan) -> str:
    bookable: dict[str, DemoProvider] = {}
    for provider in plan.providers:
        if provider.state == "approved":
            bookable.setdefault(provider.profile.vertical, provider)
    lines = [
        f"The demo is built: {len(plan.providers)} invented providers. Sign in with the password {PASSWORD} as",
        f"  {plan.customers[0].email:<24} a customer, {plan.customers[0].name}",
        *(
            f"  {provider.email:<24} a provider of {vertical}, {provider.profile.business_name}"
            for vertical, provider in sorted(bookable.items())
        ),
        f"  {ADMIN_EMAIL:<24} the staff",
    ]
    return "\n".join(lines)

"""up, serve, worker: commands that run until a signal stops them."""

import asyncio
import gc
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import typer
import uvloop
from starlette.types import ASGIApp

from fairground.entrypoints.cli.mistakes import Mistake
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.demo import SEED, build_demo
from fairground.entrypoints.environment import load_settings
from fairground.entrypoints.metrics import show_metrics
from fairground.entrypoints.serve import bind_socket, serve
from fairground.entrypoints.settings import Risk, Settings
from fairground.platform.db.schema import require_schema, upgrade_schema
from fairground.platform.logs import configure_logs
from fairground.platform.private_files import tighten

_INTERRUPTED_EXIT_CODE: Final = 130


def add_to(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("serve")(serve_installation)
    app.command("worker")(work)


def up() -> None:
    """Start a marketplace, and make what it needs.

    Makes the database or brings it up to date, then serves it with a worker in the same process. A database file that
    is new gets a demo of three hundred invented providers. Everything is kept in the folder var/, or in
    FAIRGROUND_DATA_DIR. FAIRGROUND_HTTP_PORT chooses another port, FAIRGROUND_DATABASE_URL another database.
    """
    settings, listener = _take_address(load_settings())
    program = compose(settings)
    app = program.build_app()  # before anything is made: it refuses what may not be served here
    program.db.backend.acquire_server_lock()
    file = program.db.backend.file
    if file is not None and not file.exists():
        _build_demo(settings, file)
    upgrade_schema(program.db.backend, program.histories)
    _serve(program, app, listener)


def serve_installation() -> None:
    """Serve an installation whose database is up to date.

    A worker runs in the same process. The database is never changed: `fairground db upgrade` does that. With
    PostgreSQL any number of these may run, each with its own FAIRGROUND_HTTP_PORT.
    """
    settings, listener = _take_address(load_settings())
    program = compose(settings)
    app = program.build_app()
    require_schema(program.db.backend, program.histories)
    program.db.backend.acquire_server_lock()
    _serve(program, app, listener)


def work() -> None:
    """Run a worker without a web server.

    For installations on PostgreSQL, beside its servers: more workers do more background work. On SQLite the one server
    has the only worker.
    """
    configure_logs()
    program = compose(load_settings())
    require_schema(program.db.backend, program.histories)
    program.db.backend.acquire_server_lock()
    _run(program, _wait_for_stop)


def _build_demo(settings: Settings, file: Path) -> None:
    """Build the demo in a second file, which takes the place of the database file when it is complete."""
    if not settings.allows(Risk.DEMO_ACCOUNTS):
        typer.echo(
            f"No demo is built, for others can reach {settings.address} and everybody knows its passwords."
            " Open your account with: fairground users create --role admin",
            err=True,
        )
        return
    aside = file.with_name(f"{file.name}.building")
    for leftover in aside.parent.glob(f"{aside.name}*"):
        leftover.unlink()
    typer.echo("Building the demo, which takes some seconds …", err=True)
    # In a process of its own, so that the memory it takes goes back to the machine; it ends when we do.
    builder = multiprocessing.get_context("fork").Process(target=_build_aside, args=(settings, aside), daemon=True)
    # Ctrl-C waits until the fork is done: Python drops what is raised in the steps that it takes around one.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    builder.start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    builder.join()
    if builder.exitcode:
        raise Mistake("The demo could not be built; what stands above says why. Mend that, and start again.")
    with aside.open("rb") as built:
        os.fsync(built.fileno())
    aside.rename(file)


def _build_aside(settings: Settings, aside: Path) -> None:
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        _build_demo_into(settings, aside)
    except KeyboardInterrupt:
        # Ctrl-C reaches both processes, and the other one ends as such a process does.
        sys.exit(_INTERRUPTED_EXIT_CODE)


def _build_demo_into(settings: Settings, aside: Path) -> None:
    # Three hundred providers and their money are not news; what follows is.
    configure_logs(level=logging.WARNING)
    # Nearly everything that is made here is kept to the end: looking for garbage finds none.
    gc.disable()
    program = compose(settings.with_database_file(aside), is_silent=True)
    program.db.backend.commit_without_disk()
    upgrade_schema(program.db.backend, program.histories)

    async def build() -> str:
        try:
            return await build_demo(program, seed=SEED)
        finally:
            await program.db.close()

    typer.echo(uvloop.run(build()), err=True)


def _take_address(settings: Settings) -> tuple[Settings, socket.socket]:
    """Bind the socket; a port of 0 becomes the one that the system chose, so that links name it."""
    configure_logs()
    listener = bind_socket(settings)
    return settings.model_copy(update={"http_port": listener.getsockname()[1]}), listener


def _serve(program: Program, app: ASGIApp, listener: socket.socket) -> None:
    async def answer() -> None:
        typer.echo(f"Fairground is at {program.settings.address}  (Ctrl-C stops it)", err=True)
        await serve(app, listener, program.settings)

    _run(program, answer)


def _run(program: Program, work: Callable[[], Awaitable[None]]) -> None:
    _tighten(program.settings.data_dir)

    async def run() -> None:
        async with show_metrics(program), program.running():
            await work()

    uvloop.run(run())


def _tighten(data_dir: Path) -> None:
    """Take other users' rights away from what older versions left readable; the folder itself closes all below."""
    if data_dir.is_dir():
        for path in (data_dir, *data_dir.iterdir()):
            tighten(path)


async def _wait_for_stop() -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()

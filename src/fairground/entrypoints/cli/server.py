"""up, serve, worker: run a server or worker until a signal stops it; routes, settings: show what it consists of."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer
import uvloop
from starlette.types import ASGIApp

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.environment import find_unknown_settings, list_settings, load_settings, read_settings
from fairground.entrypoints.server import bind_socket, require_metrics_port, serve, show_metrics
from fairground.entrypoints.settings import Settings
from fairground.platform.db.schema import require_schema, upgrade_schema
from fairground.platform.http.app import list_routes
from fairground.platform.logs import configure_logs
from fairground.platform.private_files import tighten


def add_to(app: typer.Typer) -> None:
    app.command("up")(up)
    app.command("serve")(serve_installation)
    app.command("worker")(work)
    app.command("routes")(show_routes)
    app.command("settings")(show_settings)


def up() -> None:
    """Start a marketplace and set up everything it needs.

    Creates or upgrades the database, then runs the web server and a worker in one process. A new database file is
    filled with a demo of 300 providers. All data is in var/; set FAIRGROUND_DATA_DIR to change that,
    FAIRGROUND_HTTP_PORT for another port and FAIRGROUND_DATABASE_URL for another database.
    """
    settings, listener = _take_address(load_settings())
    program = compose(settings)
    app = program.build_app()  # before anything is made: it refuses what may not be served here
    program.db.backend.acquire_server_lock()
    file = program.db.backend.file
    if file is not None and not file.exists():
        # Imported here: a demo is built once in the life of an installation.
        from fairground.entrypoints.cli.demo import build_demo_file

        build_demo_file(settings, file)
    upgrade_schema(program.db.backend, program.histories)
    _serve(program, app, listener)


def serve_installation() -> None:
    """Start the server; the database must be up to date.

    A worker runs in the same process. The database is not upgraded; use `fairground db upgrade` for that. With
    PostgreSQL you can run several servers, each with its own FAIRGROUND_HTTP_PORT.
    """
    settings, listener = _take_address(_read_settings())
    program = compose(settings)
    app = program.build_app()
    require_schema(program.db.backend, program.histories)
    program.db.backend.acquire_server_lock()
    _serve(program, app, listener)


def work() -> None:
    """Run a worker without a web server.

    For PostgreSQL: add workers to process more background jobs. On SQLite, the server's own worker is the only one.
    """
    configure_logs()
    program = compose(_read_settings())
    require_schema(program.db.backend, program.histories)
    program.db.backend.acquire_server_lock()
    _run(program, _wait_for_stop)


def show_routes() -> None:
    """List all URL paths.

    Paths under /api/v1 are documented at /api/docs on a running server.
    """
    program = compose(load_settings(), is_secondary=True)
    for path, methods in sorted(list_routes(program.api, program.pages)):
        typer.echo(f"{','.join(methods):<10} {path}")


def show_settings() -> None:
    """List all settings (environment variables).

    Shows meaning, default and bounds of each. The same list is in docs/reference/settings.md.
    """
    load_settings()
    for entry in list_settings():
        bounds = f"; {entry.bounds}" if entry.bounds else ""
        typer.echo(f"{entry.name}\n    {entry.description} Default: {entry.default}{bounds}.")


def _read_settings() -> Settings:
    """Warn of names that no setting has; a restart of a running installation does not fail for one."""
    for warning in find_unknown_settings():
        typer.echo(f"Warning: {warning}", err=True)
    return read_settings()


def _take_address(settings: Settings) -> tuple[Settings, socket.socket]:
    """Bind the socket; a port of 0 becomes the one that the system chose, so that links name it.

    A metrics port that is taken is refused too, before `up` makes a database and a demo.
    """
    configure_logs()
    listener = bind_socket(settings)
    require_metrics_port(settings)
    return settings.model_copy(update={"http_port": listener.getsockname()[1]}), listener


def _serve(program: Program, app: ASGIApp, listener: socket.socket) -> None:
    async def answer() -> None:
        typer.echo(f"Fairground is at {program.settings.address} (press Ctrl-C to stop)", err=True)
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

"""routes, settings: what this program is made of."""

import typer

from fairground.entrypoints.compose import compose
from fairground.entrypoints.environment import load_settings
from fairground.entrypoints.reference import list_settings
from fairground.platform.http.app import list_routes


def add_to(app: typer.Typer) -> None:
    app.command("routes")(show_routes)
    app.command("settings")(show_settings)


def show_routes() -> None:
    """List every path that the server answers.

    The paths below /api/v1 are described at /api/docs of a running server.
    """
    program = compose(load_settings(), is_secondary=True)
    for path, methods in sorted(list_routes(program.api, program.pages)):
        typer.echo(f"{','.join(methods):<10} {path}")


def show_settings() -> None:
    """List every environment variable that is read.

    Each with what it means, its default and its bounds; docs/reference/settings.md holds the same list.
    """
    for entry in list_settings():
        bounds = f"; {entry.bounds}" if entry.bounds else ""
        typer.echo(f"{entry.name}\n    {entry.description} Default: {entry.default}{bounds}.")

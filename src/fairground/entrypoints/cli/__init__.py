"""The command line: `fairground …`. Each file holds the commands of one subject, and is loaded to run one of them."""

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType
from typing import Annotated, Any, Final, cast

import typer
import typer.core

import fairground
from fairground.platform.private_files import PRIVATE_UMASK

MISTAKE_EXIT_CODE: Final = 2

# A command's file, and what `fairground --help` says of it. Loading all of them takes two seconds, and the help none.
COMMANDS: Final = {
    "up": ("server", "Start a marketplace and set up everything it needs."),
    "serve": ("server", "Start the server; the database must be up to date."),
    "worker": ("server", "Run a worker without a web server."),
    "demo": ("demo", "Fill an empty installation with demo data."),
    "backup": ("data", "Back up the database to FILE; works while the server runs."),
    "prewarm": ("cache", "Load the home page and every list, so pages are fast after a deploy."),
    "routes": ("server", "List all URL paths."),
    "settings": ("server", "List all settings (environment variables)."),
    "import": ("imports", "Import provider lists."),
    "export": ("exports", "Export providers to a file."),
    "providers": ("providers", "Invite the owners of imported providers."),
    "search": ("data", "Maintain the search index."),
    "users": ("users", "Create and manage accounts."),
    "db": ("data", "Check and upgrade the database."),
    "jobs": ("jobs", "Show background jobs and retry failed ones."),
    "cache": ("cache", "Inspect, clear and test the response cache."),
    "storage": ("storage", "Check and clean up file storage."),
    "images": ("images", "Check pictures and pre-render them."),
}


class Commands(typer.core.TyperGroup):
    """The commands by name, each loaded when it is used."""

    def list_commands(self, _ctx: typer.Context) -> list[str]:  # type: ignore[override]
        return list(COMMANDS)

    def get_command(self, _ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]
        if cmd_name not in COMMANDS:
            return None
        file, _ = COMMANDS[cmd_name]
        loaded = _new_app()
        # What is loaded here is never freed: the garbage collector skips it, and takes a sixth of a start where it runs
        # while the command loads.
        gc.disable()
        try:
            import_module(f"{__name__}.{file}").add_to(loaded)
        finally:
            gc.freeze()
            gc.enable()
        return typer.main.get_group(loaded).commands[cmd_name]

    def format_commands(self, _ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_text) for name, (_, help_text) in COMMANDS.items()])


def _new_app(**more: Any) -> typer.Typer:
    return typer.Typer(pretty_exceptions_enable=False, add_completion=False, rich_markup_mode=None, **more)


app = _new_app(
    name="fairground",
    cls=Commands,
    help="An open booking marketplace: `fairground up` starts one, with a demo, at http://127.0.0.1:8000.",
    epilog="Settings are environment variables; `fairground settings` lists them. Every command has its own --help.",
    no_args_is_help=True,
)


def _show_version(is_asked: bool) -> None:  # noqa: FBT001 - typer calls it with the value of the option
    if is_asked:
        typer.echo(f"fairground {fairground.__version__}")
        raise typer.Exit


@app.callback()
def _all_commands(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True)
    ] = False,
) -> None: ...


@contextmanager
def _without_rich() -> Iterator[None]:
    """Hide rich and its highlighter while the block runs, unless they are loaded already.

    structlog and httpx load them where they find them. Nothing here renders with them, and they are 4 MB of every
    process and a tenth of a second of every start.
    """
    hidden = {"rich", "pygments"} - sys.modules.keys()
    # An import of a module that is None raises ImportError.
    sys.modules.update(cast("dict[str, ModuleType]", dict.fromkeys(hidden)))
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; a user's mistake ends it with one sentence and the code 2.

    Args:
        arguments: Instead of those that the program was started with.
    """
    # Files that are created from here on, by libraries too, are readable by this user alone.
    os.umask(PRIVATE_UMASK)
    try:
        with _without_rich():
            code = app(arguments, prog_name="fairground", standalone_mode=False)
    except Exception as error:
        # Loaded now, because it knows the errors of every part of the program.
        errors = import_module("fairground.entrypoints.cli.errors")
        if not isinstance(error, errors.MISTAKES):
            raise
        print(errors.explain_mistake(error), file=sys.stderr)
        code = MISTAKE_EXIT_CODE
    sys.exit(code)

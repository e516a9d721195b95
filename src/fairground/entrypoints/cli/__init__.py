"""The command line: `fairground …`. Each file holds the commands of one subject."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from fairground.entrypoints.cli import (
    cache,
    database,
    demo,
    exports,
    images,
    imports,
    jobs,
    reference,
    search,
    server,
    storage,
    users,
)
from fairground.entrypoints.cli.mistakes import MISTAKES, say
from fairground.platform.private_files import PRIVATE_UMASK

MISTAKE_EXIT_CODE: Final = 2

app = typer.Typer(
    name="fairground",
    help="An open booking marketplace: `fairground up` starts one, with a demo, at http://127.0.0.1:8000.",
    epilog="Settings are environment variables; `fairground settings` lists them. Each command has its own --help.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)
for commands in (server, demo, imports, exports, search, users, database, jobs, cache, storage, images, reference):
    commands.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; a user's mistake ends it with one sentence and the code 2.

    Args:
        arguments: Instead of those that the program was started with.
    """
    # The collector need not look through what is loaded by now: it stays.
    gc.freeze()
    # Files that are created from here on, by libraries too, are for this user alone.
    os.umask(PRIVATE_UMASK)
    try:
        code = app(arguments, prog_name="fairground", standalone_mode=False)
    except MISTAKES as mistake:
        print(say(mistake), file=sys.stderr)
        code = MISTAKE_EXIT_CODE
    sys.exit(code)

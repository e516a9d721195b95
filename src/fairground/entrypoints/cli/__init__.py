"""The command line: `fairground …`. Each file holds the commands of one subject."""

import gc
import os
import sys
from collections.abc import Sequence
from typing import Final

import typer

from fairground.entrypoints.cli import (
    cache,
    data,
    demo,
    exports,
    images,
    imports,
    jobs,
    server,
    storage,
    users,
)
from fairground.entrypoints.cli.errors import MISTAKES, explain_mistake
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
for commands in (server, demo, imports, exports, data, users, jobs, cache, storage, images):
    commands.add_to(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; a user's mistake ends it with one sentence and the code 2.

    Args:
        arguments: Instead of those that the program was started with.
    """
    # The garbage collector skips what is loaded by now, because it is never freed.
    gc.freeze()
    # Files that are created from here on, by libraries too, are readable by this user alone.
    os.umask(PRIVATE_UMASK)
    try:
        code = app(arguments, prog_name="fairground", standalone_mode=False)
    except MISTAKES as mistake:
        print(explain_mistake(mistake), file=sys.stderr)
        code = MISTAKE_EXIT_CODE
    sys.exit(code)

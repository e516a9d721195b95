"""Runs a command in a secondary process: it may run beside a server, and takes none of the server's roles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.environment import load_settings
from fairground.platform.db.schema import require_schema
from fairground.platform.logs import configure_logs

_Result = TypeVar("_Result")


def run_secondary(command: Callable[[Program], Awaitable[_Result]], *, is_silent: bool = False) -> _Result:
    """Run a command on the installation's database, once its schema is known to be ours."""
    # What a command does step by step is not news: it says itself what came of it.
    configure_logs(level=logging.WARNING)
    program = compose(load_settings(), is_secondary=True, is_silent=is_silent)
    require_schema(program.db.backend, program.histories)

    async def run() -> _Result:
        try:
            return await command(program)
        finally:
            await program.runtime.files.close()
            await program.db.close()

    return asyncio.run(run())

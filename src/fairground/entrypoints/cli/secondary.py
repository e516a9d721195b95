"""Runs a command, or the checks of modules, in a secondary process: beside a server, without any of its roles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import typer

from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.environment import load_settings
from fairground.platform.db.schema import require_schema
from fairground.platform.logs import configure_logs
from fairground.platform.module import Check, CheckStatus, Module

_Result = TypeVar("_Result")


def run_secondary(command: Callable[[Program], Awaitable[_Result]], *, is_silent: bool = False) -> _Result:
    """Run a command on the installation's database, after a check that its schema is that of this code."""
    # A command prints its result itself; its log has only warnings.
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


def checks_of(modules: Sequence[Module], subject: str) -> list[Check]:
    return [check for module in modules for check in module.checks if check.subject == subject]


async def run_checks(checks: Sequence[Check]) -> bool:
    """Print each result; return False when one failed. A warning is no failure."""
    is_right = True
    for check in checks:
        async for result in check.run():
            typer.echo(f"{result.status:<8} {result.text}")
            is_right = is_right and result.status is not CheckStatus.FAILED
    return is_right

"""Runs the checks of all modules about one subject, and prints what they find."""

from collections.abc import Sequence

import typer

from fairground.platform.module import Check, CheckStatus, Module


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

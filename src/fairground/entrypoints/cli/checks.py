"""Runs the checks of all modules about one subject, and prints what they find."""

from collections.abc import Sequence

import typer

from fairground.platform.findings import Verdict
from fairground.platform.module import Check, Module


def checks_of(modules: Sequence[Module], subject: str) -> list[Check]:
    return [check for module in modules for check in module.checks if check.subject == subject]


async def run_checks(checks: Sequence[Check]) -> bool:
    """Print each result; return False when one failed. A warning is no failure."""
    is_right = True
    for check in checks:
        async for finding in check.run():
            typer.echo(f"{finding.verdict:<8} {finding.told}")
            is_right = is_right and finding.verdict is not Verdict.WRONG
    return is_right

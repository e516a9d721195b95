"""Demos of any size, built as the command builds its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.messaging import Messages
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.settings import Settings
from fairground.ops.demo.plan import DemoPlan
from fairground.ops.demo.plan_writer import Contracts, PlanWriter


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[Program]:
    """Open a program that sends no mails or notifications, as the command does."""
    program = compose(Settings(database_url=url, data_dir=folder), is_secondary=True, is_silent=True)
    try:
        yield program
    finally:
        for module in program.modules:
            if module.stop is not None:
                await module.stop()
        await program.db.close()


async def build_demo(program: Program, plan: DemoPlan) -> Contracts:
    links = program.links
    contracts = Contracts(
        links.of(Accounts), links.of(Providers), links.of(Bookings), links.of(Reviews), links.of(Messages)
    )
    today = datetime.now(UTC).date()
    writer = PlanWriter(contracts, plan=plan, today=today, pictures_dir=program.settings.pictures_dir)
    content = await writer.write()
    for module in program.modules:
        if module.demo is not None:
            await module.demo(content)
    return contracts

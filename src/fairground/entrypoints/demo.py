"""Build the demo, where it may be built."""

from datetime import UTC, datetime
from typing import Final

from fairground.contracts.accounts import Accounts
from fairground.contracts.booking import Bookings
from fairground.contracts.providers import Providers
from fairground.contracts.reviews import Reviews
from fairground.entrypoints.compose import Program
from fairground.entrypoints.settings import Risk, SettingsError
from fairground.ops.demo.build import PROVIDERS, build_plan
from fairground.ops.demo.plan import DemoPlan, DemoProvider
from fairground.ops.demo.stage import ADMIN_EMAIL, PASSWORD, Contracts, Stage

SEED: Final = 1


class DemoRefused(RuntimeError):
    """A demo would do harm here; the message says why."""


async def build_demo(program: Program, *, seed: int, provider_count: int = PROVIDERS) -> str:
    """Write the demo into an empty installation and return what to tell about it.

    Raises:
        DemoRefused, SettingsError: See `require_place_for_demo`.
    """
    await require_place_for_demo(program)
    links = program.links
    plan = build_plan(seed=seed, verticals=program.verticals, provider_count=provider_count)
    contracts = Contracts(links.of(Accounts), links.of(Providers), links.of(Bookings), links.of(Reviews))
    today = datetime.now(UTC).date()
    stage = await Stage(contracts, plan=plan, today=today, pictures_dir=program.settings.pictures_dir).build()
    for module in program.modules:
        if module.demo is not None:
            await module.demo(stage)
    return _tell(plan)


async def require_place_for_demo(program: Program) -> None:
    """Refuse an installation in which a demo would do harm.

    Raises:
        DemoRefused: The installation has users already.
        SettingsError: Others could reach the demo's accounts, whose password is public.
    """
    if not program.settings.allows(Risk.DEMO_ACCOUNTS):
        raise SettingsError(
            f"The demo's accounts have a password that everybody knows, and {program.settings.address} can be reached"
            f" by others. Build it on 127.0.0.1, or set FAIRGROUND_ALLOW={Risk.DEMO_ACCOUNTS}."
        )
    if await program.links.of(Accounts).count_users():
        raise DemoRefused("This installation has users already; the demo is for an empty one. Name another database.")


def _tell(plan: DemoPlan) -> str:
    bookable: dict[str, DemoProvider] = {}
    for provider in plan.providers:
        if provider.state == "approved":
            bookable.setdefault(provider.profile.vertical, provider)
    lines = [
        f"The demo is built: {len(plan.providers)} invented providers. Sign in with the password {PASSWORD} as",
        f"  {plan.customers[0].email:<24} a customer, {plan.customers[0].name}",
        *(
            f"  {provider.email:<24} a provider of {vertical}, {provider.profile.business_name}"
            for vertical, provider in sorted(bookable.items())
        ),
        f"  {ADMIN_EMAIL:<24} the staff",
    ]
    return "\n".join(lines)

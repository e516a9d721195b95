"""cache stats, flush, flushes, verify and check, prewarm: shows, invalidates, tests and fills the response cache."""

from typing import Annotated

import httpx
import typer
import uvloop

from fairground.contracts.accounts import Accounts
from fairground.contracts.providers import Providers
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.running_server import TIMEOUT_SECONDS, Address, show_warmed, unreachable
from fairground.entrypoints.cli.secondary import checks_of, run_checks, run_secondary
from fairground.entrypoints.compose import Program, compose
from fairground.entrypoints.environment import load_settings
from fairground.ops.cache.client import prewarm, verify
from fairground.ops.cache.flush import flush, list_flushes
from fairground.ops.cache.report import CacheReport
from fairground.platform.cache.settings import Life
from fairground.platform.db.common.audit import AuditEntry


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Inspect, clear and test the response cache.", no_args_is_help=True)
    commands.command("stats")(show_stats)
    commands.command("flush")(flush_cache)
    commands.command("flushes")(show_flushes)
    commands.command("verify")(verify_cache)
    commands.command("check")(check_shared_level)
    app.add_typer(commands, name="cache")
    app.command("prewarm")(prewarm_cache)


def show_stats(url: Address = "") -> None:
    """Show cache hits and misses of the running server.

    Counts since the server started. Needs at least one staff account, as which the figures are requested.
    """

    async def ask(program: Program) -> CacheReport:
        accounts = program.links.of(Accounts)
        staff = await accounts.list_staff(limit=1)
        if not staff:
            raise Mistake(
                "This needs a staff account, and there isn't one yet. Run: fairground users create --role admin"
            )
        opened = await accounts.create_token(user_id=staff[0].id, name="fairground cache stats")
        try:
            return _ask_server(url or program.settings.address, token=opened.secret)
        finally:
            await accounts.revoke_session(user_id=staff[0].id, session_id=opened.session.id)

    _print(run_secondary(ask))


def flush_cache(
    kinds: Annotated[
        list[Life] | None, typer.Argument(help="Kinds of responses to clear; all if omitted.", show_default=False)
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Clear only the entries of this provider (id or slug).")] = None,
) -> None:
    """Clear the cache on all servers.

    The cache keeps itself up to date. You only need this after editing the database by hand, for example.
    Sessions and jobs are not affected. Each flush is logged; see: fairground cache flushes
    """
    if kinds and provider:
        raise Mistake("Give kinds of responses or a provider, not both.")

    async def empty(program: Program) -> list[str]:
        providers = program.links.of(Providers)
        return await flush(program.db, providers, kinds=kinds or [], provider=provider, actor=None)

    tags = run_secondary(empty)
    typer.echo(f"Cleared: {', '.join(tags)}. Servers without Redis follow within seconds.")


def show_flushes(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many to show, newest first.")] = 20,
) -> None:
    """Show manual cache flushes: who, when and what."""

    async def look(program: Program) -> list[AuditEntry]:
        return await list_flushes(program.db, limit=limit)

    for done in run_secondary(look):
        typer.echo(f"{done.acted_at:%Y-%m-%d %H:%M:%S} UTC  {done.actor}  {', '.join(done.details['tags'])}")


def verify_cache(url: Address = "") -> None:
    """Test the cache of a running server: the first request is a MISS, the second a HIT, the third a 304."""
    address = url or load_settings().address
    is_right = True
    with httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS) as client:
        try:
            for verified in verify(client):
                calls = zip(verified.outcomes, verified.milliseconds, strict=True)
                shown = "  ".join(f"{answer:>4} {milliseconds:7.1f} ms" for answer, milliseconds in calls)
                typer.echo(f"{'ok' if verified.is_right else 'WRONG':<6} {verified.name:<26} {shown}")
                is_right = is_right and verified.is_right
        except httpx.HTTPError as error:
            raise unreachable(address, error) from None
    if not is_right:
        raise typer.Exit(1)


def prewarm_cache(url: Address = "") -> None:
    """Load the home page and every list, so pages are fast after a deploy.

    Shows status and time of every category and sort order, for the API and the pages. Exits with 1 if any response is
    not 2xx.
    """
    show_warmed(url, prewarm)


def check_shared_level() -> None:
    """Check the Redis or Valkey server set in FAIRGROUND_REDIS_URL.

    Connects, writes and reads, and checks version, role, eviction policy, memory and encryption. Exits with 1 if
    something is wrong; warnings don't count.
    """
    checks = checks_of(compose(load_settings(), is_secondary=True).modules, "cache")
    if not checks:
        raise Mistake("FAIRGROUND_REDIS_URL is not set, so there is no shared cache to check.")
    if not uvloop.run(run_checks(checks)):
        raise typer.Exit(1)


def _ask_server(address: str, *, token: str) -> CacheReport:
    headers = {"authorization": f"Bearer {token}"}
    try:
        answer = httpx.get(f"{address}/api/v1/ops/cache", headers=headers, timeout=TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        raise unreachable(address, error) from None
    if not answer.is_success:
        raise Mistake(f"The server at {address} answered {answer.status_code}. Does it belong to this installation?")
    return CacheReport.model_validate_json(answer.content)


def _print(report: CacheReport) -> None:
    room = f"{report.memory_bytes / 2**20:.1f} of {report.memory_most_bytes / 2**20:.0f} MiB"
    typer.echo(f"process {report.process}: {report.entries} entries in {room}, {report.evictions} evicted")
    typer.echo(f"shared level: {report.shared}, {report.shared_failures} failures, {report.damaged} damaged entries")
    typer.echo(f"{'route':<22}{'hits':>8}{'misses':>8}{'stale':>8}{'bypass':>8}{'304':>8}{'computed':>10}{'ratio':>8}")
    for route in report.routes:
        counts = (route.hit, route.miss, route.stale, route.bypass, route.not_modified)
        numbers = "".join(f"{count:>8}" for count in counts)
        typer.echo(f"{route.route:<22}{numbers}{route.computed:>10}{route.hit_ratio:>8.1%}")

"""storage check, orphans and collect: checks the store of files and removes orphans."""

import typer
import uvloop

from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.entrypoints.environment import load_settings
from fairground.entrypoints.storing import load_storage_settings, open_store
from fairground.platform.checks import CheckResult, CheckStatus
from fairground.platform.storage.checking import check_store
from fairground.platform.storage.orphans import Collected


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Try out and tidy the store of files.", no_args_is_help=True)
    commands.command("check")(check_storage)
    commands.command("orphans")(show_orphans)
    commands.command("collect")(collect_orphans)
    app.add_typer(commands, name="storage")


def check_storage() -> None:
    """Check whether the folder or the object store of FAIRGROUND_STORAGE_URL is fit for use.

    Writes, reads, lists and deletes objects of its own, follows a signed address, and uploads as a browser does on a
    page of ours. The exit code is 1 when something is wrong; a warning is none.
    """
    settings, program = load_storage_settings(), load_settings()

    async def check() -> list[CheckResult]:
        store = open_store(settings, data_dir=program.data_dir)
        try:
            return await check_store(store, cdn_url=settings.cdn_url, origin=program.address)
        finally:
            await store.close()

    results = uvloop.run(check())
    for result in results:
        typer.echo(f"{result.status:<8} {result.text}")
    if any(result.status is CheckStatus.FAILED for result in results):
        raise typer.Exit(1)


def show_orphans() -> None:
    """List the objects that `storage collect` would remove now, without removing them.

    These are objects without a reference for longer than the settings say, and abandoned uploads.
    """

    async def list_them(program: Program) -> None:
        objects = size_bytes = 0
        async for orphan in program.collector.find_orphans():
            typer.echo(f"{orphan.stored_at:%Y-%m-%d %H:%M} UTC  {orphan.size_bytes:>12}  {orphan.key}")
            objects, size_bytes = objects + 1, size_bytes + orphan.size_bytes
        typer.echo(f"{objects} objects, {size_bytes} bytes.")

    run_secondary(list_them)


def collect_orphans() -> None:
    """Remove what `storage orphans` lists; servers do so every hour by themselves."""

    async def collect_them(program: Program) -> Collected:
        return await program.collector.collect()

    collected = run_secondary(collect_them)
    typer.echo(
        f"Removed {collected.objects} objects, {collected.size_bytes} bytes,"
        f" and {collected.unfinished} unfinished files."
    )

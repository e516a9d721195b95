"""storage check, lifecycle, orphans and collect: checks the store of files, manages its cold tier, removes orphans."""

from collections.abc import Sequence
from typing import Annotated

import typer
import uvloop

from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.entrypoints.environment import load_settings
from fairground.entrypoints.storage import load_storage_settings, open_lifecycle, open_store
from fairground.kernel.errors import Unavailable
from fairground.platform.module import CheckResult, CheckStatus
from fairground.platform.storage.checks import check_store
from fairground.platform.storage.lifecycle_rules import StorageClass
from fairground.platform.storage.orphans import CollectionResult
from fairground.platform.storage.settings import StorageSettings
from fairground.platform.storage.store import StorageRefused


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Check and clean up file storage.", no_args_is_help=True)
    commands.command("check")(check_storage)
    commands.command("lifecycle")(manage_lifecycle)
    commands.command("orphans")(show_orphans)
    commands.command("collect")(collect_orphans)
    app.add_typer(commands, name="storage")


def check_storage() -> None:
    """Check the folder or bucket set in FAIRGROUND_STORAGE_URL.

    Writes, reads, lists and deletes test objects, opens a signed URL and uploads a file the way a browser does. Exits
    with 1 if something is wrong; warnings don't count.
    """
    settings, program = load_storage_settings(), load_settings()

    async def check() -> list[CheckResult]:
        store = open_store(settings, data_dir=program.data_dir)
        try:
            return await check_store(store, cdn_url=settings.cdn_url, origin=program.address)
        finally:
            await store.close()

    async def check_all() -> list[CheckResult]:
        return [*await check(), *await _check_rules(settings)]

    _print_results(uvloop.run(check_all()))


def manage_lifecycle(
    cold_after_days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Move originals to colder storage after this many days."),
    ] = None,
    storage_class: Annotated[
        StorageClass | None,
        typer.Option(help="The colder storage class; STANDARD_IA if omitted."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the rule added by --cold-after-days.")] = False,  # noqa: FBT002 - typer's own form of a flag
) -> None:
    """Show the bucket's lifecycle rules, or add one that moves originals to colder storage.

    Your other rules stay unchanged. On Amazon S3, STANDARD_IA and ONEZONE_IA need at least 30 days. Exits with 1 if a
    rule deletes stored files or moves them to a class without instant access. The access key needs the permissions
    s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration.
    """
    if cold_after_days is not None and remove:
        raise Mistake("Use --cold-after-days or --remove, not both.")
    if storage_class is not None and cold_after_days is None:
        raise Mistake("--storage-class needs --cold-after-days.")
    settings = load_storage_settings()

    async def manage() -> list[CheckResult]:
        lifecycle = open_lifecycle(settings)
        if lifecycle is None:
            raise Mistake("Files are stored in a folder. Lifecycle rules exist only for buckets.")
        try:
            if remove:
                return await lifecycle.remove_cold_rule()
            if cold_after_days is not None:
                chosen = storage_class or StorageClass.STANDARD_IA
                return await lifecycle.add_cold_rule(days=cold_after_days, storage_class=chosen)
            return await lifecycle.check()
        finally:
            await lifecycle.close()

    _print_results(uvloop.run(manage()))


async def _check_rules(settings: StorageSettings) -> list[CheckResult]:
    """Return the harmful lifecycle rules of a bucket; nothing for a folder."""
    lifecycle = open_lifecycle(settings)
    if lifecycle is None:
        return []
    try:
        results = await lifecycle.check()
    except StorageRefused as error:
        return [CheckResult(CheckStatus.WARNING, f"can't read the bucket's lifecycle rules: {error.detail}")]
    except Unavailable:
        return []
    finally:
        await lifecycle.close()
    harmful = [result for result in results if result.status is not CheckStatus.OK]
    return harmful or [CheckResult(CheckStatus.OK, "no lifecycle rule deletes or archives stored files")]


def _print_results(results: Sequence[CheckResult]) -> None:
    """Print each result, and exit with 1 if something is wrong."""
    for result in results:
        typer.echo(f"{result.status:<8} {result.text}")
    if any(result.status is CheckStatus.FAILED for result in results):
        raise typer.Exit(1)


def show_orphans() -> None:
    """List what `storage collect` would remove, without removing it.

    That is unused files past their retention time, and abandoned uploads.
    """

    async def list_them(program: Program) -> None:
        objects = size_bytes = 0
        async for orphan in program.collector.find_orphans():
            typer.echo(f"{orphan.stored_at:%Y-%m-%d %H:%M} UTC  {orphan.size_bytes:>12}  {orphan.key}")
            objects, size_bytes = objects + 1, size_bytes + orphan.size_bytes
        typer.echo(f"{objects} objects, {size_bytes} bytes.")

    run_secondary(list_them)


def collect_orphans() -> None:
    """Remove what `storage orphans` lists. Servers do this every hour anyway."""

    async def collect_them(program: Program) -> CollectionResult:
        return await program.collector.collect()

    collected = run_secondary(collect_them)
    typer.echo(
        f"Removed {collected.objects} objects, {collected.size_bytes} bytes,"
        f" and {collected.unfinished} unfinished files."
    )

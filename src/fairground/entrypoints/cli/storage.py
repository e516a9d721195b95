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
    commands = typer.Typer(help="Check and clean up the store of files.", no_args_is_help=True)
    commands.command("check")(check_storage)
    commands.command("lifecycle")(manage_lifecycle)
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

    async def check_all() -> list[CheckResult]:
        return [*await check(), *await _check_rules(settings)]

    _print_results(uvloop.run(check_all()))


def manage_lifecycle(
    cold_after_days: Annotated[
        int | None,
        typer.Option(min=1, max=3650, help="Move originals to a colder storage class so many days after they came."),
    ] = None,
    storage_class: Annotated[
        StorageClass | None,
        typer.Option(help="That storage class; STANDARD_IA unless given. Each of these is read at once."),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the rule that --cold-after-days has added.")] = False,  # noqa: FBT002 - typer's own form of a flag
) -> None:
    """Show the lifecycle rules of the bucket, or move originals to a cold tier by a rule of their own.

    The rules of others stay as they are. Amazon S3 takes STANDARD_IA and ONEZONE_IA from 30 days on. The exit code is
    1 when a rule removes what this program stores, or moves it to a class that is not read at once. The access key
    needs the rights s3:GetLifecycleConfiguration and s3:PutLifecycleConfiguration.
    """
    if cold_after_days is not None and remove:
        raise Mistake("Name --cold-after-days or --remove, not both.")
    if storage_class is not None and cold_after_days is None:
        raise Mistake("--storage-class needs --cold-after-days.")
    settings = load_storage_settings()

    async def manage() -> list[CheckResult]:
        lifecycle = open_lifecycle(settings)
        if lifecycle is None:
            raise Mistake("Files are in a folder, which has one tier and no lifecycle rules; a bucket has them.")
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
        return [CheckResult(CheckStatus.WARNING, f"the lifecycle rules of the bucket are not known: {error.detail}")]
    except Unavailable:
        return []
    finally:
        await lifecycle.close()
    harmful = [result for result in results if result.status is not CheckStatus.OK]
    return harmful or [
        CheckResult(CheckStatus.OK, "no lifecycle rule of the bucket removes or archives stored objects")
    ]


def _print_results(results: Sequence[CheckResult]) -> None:
    """Print each, and end with 1 if something is wrong."""
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

    async def collect_them(program: Program) -> CollectionResult:
        return await program.collector.collect()

    collected = run_secondary(collect_them)
    typer.echo(
        f"Removed {collected.objects} objects, {collected.size_bytes} bytes,"
        f" and {collected.unfinished} unfinished files."
    )

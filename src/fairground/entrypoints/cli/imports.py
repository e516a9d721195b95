"""import providers: lists that others made."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from fairground.contracts.imports import Imports
from fairground.contracts.providers import Providers
from fairground.contracts.providers.claims import Claims
from fairground.entrypoints.cli import providers
from fairground.entrypoints.cli.errors import Mistake
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.ops.imports.mapping import load_map, map_of_export
from fairground.ops.imports.records import Record, RowFault, describe
from fairground.ops.imports.run import Import, Summary

_BAR_WIDTH = 30


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Import provider lists.", no_args_is_help=True)
    commands.command("providers")(import_providers)
    app.add_typer(commands, name="import")


class _Teller:
    """Reports each rejected row on standard error, with a progress bar on a terminal."""

    def __init__(self, total_bytes: int) -> None:
        self._total_bytes = max(total_bytes, 1)
        self._has_bar = sys.stderr.isatty()

    def rejected(self, record: Record, fault: RowFault) -> None:
        self._clear()
        typer.echo(describe(record, fault), err=True)

    def progressed(self, summary: Summary, *, read_bytes: int) -> None:
        if not self._has_bar:
            return
        share = read_bytes / self._total_bytes
        bar = "█" * round(share * _BAR_WIDTH)
        sys.stderr.write(f"\r{bar:<{_BAR_WIDTH}} {share:4.0%}  {summary.read:,} rows")
        sys.stderr.flush()

    def finish(self) -> None:
        self._clear()

    def _clear(self) -> None:
        if self._has_bar:
            sys.stderr.write("\r\x1b[K")


def import_providers(
    file: Annotated[
        Path, typer.Argument(help="The .csv, .jsonl or .json file to import.", metavar="FILE", show_default=False)
    ],
    *,
    vertical: Annotated[
        str,
        typer.Option(
            help="Vertical of the providers: artists, chefs, tutors or your own. Not needed for an exported file.",
            show_default=False,
        ),
    ] = "",
    map_file: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="TOML file that maps columns to fields. Not needed for an exported file.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check every row without saving anything.")] = False,
    invite: Annotated[
        bool, typer.Option("--invite", help="Email owners a link to claim their page, like `providers invite`.")
    ] = False,
) -> None:
    """Create or update one provider per row of FILE.

    Save spreadsheets as CSV first: commas, semicolons, tabs or vertical bars as separators, in UTF-8 or UTF-16.

    Imported providers are public at once and have no account until their owners claim them. Rows are matched by their
    external id, so you can repeat an import, even after an interruption.

    Rejected rows are reported on standard error with line, reason and fix, and saved to NAME.rejected.csv next to FILE,
    so you can correct and import them. Exits with 0 if all rows were imported, else with 1.

    docs/reference/import-map.md describes MAP.toml. Files from `fairground export providers` need neither --map nor
    --vertical. Do a trial run first:

    \b
      fairground import providers listings.csv --vertical artists --map MAP.toml --dry-run
    """  # noqa: D301 - the sign itself is what keeps the lines behind it as they are
    loaded = load_map(map_file) if map_file else None
    if loaded is not None and not vertical and loaded.fields.vertical is None:
        raise Mistake("Set the vertical with --vertical, or add a field `vertical` to the map.")
    teller = _Teller(file.stat().st_size if file.exists() else 0)

    async def run(program: Program) -> tuple[Summary, float, int]:
        pack = program.verticals.find(vertical)
        if vertical and pack is None:
            known = ", ".join(entry.key for entry in program.verticals)
            raise Mistake(f"Unknown vertical {vertical!r}. Choose one of {known}.")
        links = program.links
        provider_map = loaded or map_of_export(currency=await links.of(Providers).get_currency())
        job = Import(file, pack, provider_map, links.of(Providers), links.of(Imports), teller, program.verticals)
        began_at = time.perf_counter()
        summary = await (job.rehearse() if dry_run else job.run())
        seconds = time.perf_counter() - began_at
        invited = await program.links.of(Claims).invite_owners() if invite and not dry_run else 0
        return summary, seconds, invited

    summary, seconds, invited = run_secondary(run)
    teller.finish()
    if invite and not dry_run:
        providers.report(invited)
    _report(summary, seconds=seconds, is_dry_run=dry_run)


def _report(summary: Summary, *, seconds: float, is_dry_run: bool) -> None:
    taken = f"to import {summary.created:,}" if is_dry_run else f"created {summary.created:,}"
    typer.echo(
        f"read {summary.read:,} = {taken} + updated {summary.updated:,} + unchanged {summary.unchanged:,}"
        f" + rejected {summary.rejected:,}, in {seconds:.1f} s"
    )
    if summary.pictures:
        typer.echo(f"{summary.pictures:,} embedded pictures are waiting. Convert them at /admin/migrations.")
    if summary.addresses:
        typer.echo(
            f"{summary.addresses:,} pictures are being downloaded in the background. Check for failures with: "
            "fairground images doctor"
        )
    if summary.reject_file is not None:
        typer.echo(f"Correct the rejected rows in {summary.reject_file} and import that file.")
        raise typer.Exit(1)

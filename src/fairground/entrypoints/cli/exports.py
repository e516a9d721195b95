"""export providers: a file that another installation imports."""

from pathlib import Path
from typing import Annotated

import typer

from fairground.contracts.imports import EmbeddedPictures
from fairground.contracts.media import PictureMaintenance
from fairground.contracts.providers import ExportedProvider, ExternalProviders, Providers
from fairground.entrypoints.cli.secondary import run_secondary
from fairground.entrypoints.compose import Program
from fairground.ops.exports.output import STANDARD_OUTPUT, open_output
from fairground.ops.exports.providers import ExportSummary, ProviderExport
from fairground.ops.imports.records import RowFault


def add_to(app: typer.Typer) -> None:
    commands = typer.Typer(help="Export providers to a file.", no_args_is_help=True)
    commands.command("providers")(export_providers)
    app.add_typer(commands, name="export")


class _Refusals:
    """Reports each skipped provider on standard error."""

    def refused(self, provider: ExportedProvider, fault: RowFault) -> None:
        typer.echo(f"{provider.slug}, {fault.column}: {fault.reason}; {fault.hint}.", err=True)


def export_providers(
    file: Annotated[
        Path,
        typer.Argument(help="The .jsonl file to create; - for standard output.", metavar="FILE"),
    ],
) -> None:
    """Export all approved providers to FILE, ready for `fairground import providers FILE`.

    One line per provider: profile, location, time zone, categories, services with prices, portrait, gallery, and the
    external id that lets a repeated import update the provider. Works while the server runs.

    Imported providers are public and have no owner. Drafts, submitted and rejected profiles are therefore left out, as
    are accounts, contact data, hours, bookings, payments and reviews.

    FILE appears once it is complete. Approved providers that an import would reject are reported on standard error
    with the reason. Exits with 0 if there are none, else with 1.
    """

    async def run(program: Program) -> ExportSummary:
        links = program.links
        export = ProviderExport(
            providers=links.of(Providers),
            external=links.of(ExternalProviders),
            files=links.of(PictureMaintenance),
            embedded=links.of(EmbeddedPictures),
            verticals=program.verticals,
            listener=_Refusals(),
        )
        with open_output(file) as output:
            return await export.write(output)

    summary = run_secondary(run)
    for line in _report(summary, file):
        typer.echo(line, err=file == STANDARD_OUTPUT)
    if summary.refused:
        raise typer.Exit(1)


def _report(summary: ExportSummary, file: Path) -> list[str]:
    where = "standard output" if file == STANDARD_OUTPUT else str(file)
    unapproved = [f"{count:,} {status.value}" for status, count in sorted(summary.unapproved.items())]
    counts = {
        f"{_join(unapproved)} providers (imports are published at once)": len(unapproved),
        f"{summary.refused:,} providers that an import would reject (listed above)": summary.refused,
        f"{summary.drawn_portraits:,} generated portraits": summary.drawn_portraits,
        f"{summary.lost_pictures:,} pictures with missing files": summary.lost_pictures,
        f"{summary.surplus_pictures:,} pictures over the limit per provider": summary.surplus_pictures,
        "accounts, contact data, hours, bookings, payments and reviews (never exported)": 1,
    }
    counted = f"{summary.written:,} providers with {summary.services:,} services and {summary.pictures:,} pictures"
    return [
        f"Wrote {counted} to {where}.",
        f"Left out: {'; '.join(text for text, count in counts.items() if count)}.",
    ]


def _join(parts: list[str]) -> str:
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last

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
    """Names each provider that is not written on standard error."""

    def refused(self, provider: ExportedProvider, fault: RowFault) -> None:
        typer.echo(f"{provider.slug}, {fault.column}: {fault.reason}; {fault.hint}.", err=True)


def export_providers(
    file: Annotated[
        Path,
        typer.Argument(help="A .jsonl file that is not there yet; - is standard output.", metavar="FILE"),
    ],
) -> None:
    """Write every approved provider to FILE, which `fairground import providers FILE` reads.

    A line holds one provider: profile, place, zone, categories, all services with their prices, portrait, gallery and
    external id, by which a second import updates the provider. It runs beside a server.

    An import makes public providers without owners, so drafts, submitted and rejected profiles are left out, as are
    accounts, contact data, hours, bookings, payments and reviews.

    FILE appears when it is complete. Each approved provider that an import would reject is named on standard error with
    the reason; the exit code is 0 when there is none, else 1.
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
        f"{_join(unapproved)} providers, because an import publishes what it takes": len(unapproved),
        f"{summary.refused:,} providers that an import would reject, named above": summary.refused,
        f"{summary.drawn_portraits:,} portraits that are no uploaded pictures": summary.drawn_portraits,
        f"{summary.lost_pictures:,} pictures whose files are lost": summary.lost_pictures,
        f"{summary.surplus_pictures:,} pictures beyond what one row of an import holds": summary.surplus_pictures,
        "accounts, contact data, hours, bookings, payments and reviews, which no import takes": 1,
    }
    counted = f"{summary.written:,} providers with {summary.services:,} services and {summary.pictures:,} pictures"
    return [
        f"Wrote {counted} to {where}.",
        f"Left out: {'; '.join(text for text, count in counts.items() if count)}.",
    ]


def _join(parts: list[str]) -> str:
    *first, last = parts or [""]
    return f"{', '.join(first)} and {last}" if first else last

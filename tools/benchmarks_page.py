"""Writes docs/benchmarks.md from the file of a run (`make benchmarks-page`).

    python -m tools.benchmarks_page [benchmarks/results/2026-11-30-full.json]

Without an argument it takes the newest file, and of one day that of the full dose.
"""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from benchmarks.results import FOLDER, Comparison, Run, read_run

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "benchmarks.md"
# Above it other work shares the caches of the processor, and every figure is larger than on a quiet machine.
QUIET_LOAD_MAX: Final = 1.0
SMALL: Final = 0.1
LARGE: Final = 9.995
UNITS: Final = ((1_000_000, "s"), (1_000, "ms"), (1, "µs"))
"""By their microseconds."""

_HEAD: Final = """\
# Benchmarks

`make bench` measures all of this and writes a file; `make benchmarks-page` makes this page from it. What is older, what
was tried, and what proofs measure is in [measured](measured.md).

**CPU** is what the server's process and its children use for one request, job or operation. Ours and theirs are
measured in the same run, in five rounds that alternate, and **CPU ratio** is the median of the ratios of the rounds:
below 1, ours is cheaper. Ratios of CPU travel between machines; **rate ratio** (above 1, ours is faster) depends on the
kernel and the load, and is shown beside it."""


def render_page(run: Run, *, source: str) -> str:
    lines = [_HEAD, "", f"This run: {run.made_on}, {run.dose} dose, `{source}`.", "", *render_calibration(run)]
    lines += ["", *render_tables(run), *_render_facts(run), *_render_missing(run)]
    return "\n".join(lines) + "\n"


def render_calibration(run: Run) -> list[str]:
    servers = "".join(f", {version}" for version in run.software.values())
    lines = [f"- Machine: {run.machine}{servers}.", f"- Calibration: {run.calibration}."]
    if run.machine.load > QUIET_LOAD_MAX:
        lines.append("- **Other work used the machine during this run.**")
    return lines


def render_tables(run: Run) -> Iterator[str]:
    for section, rows in groupby(sorted_by_section(run.comparisons), lambda each: each.section):
        yield from (f"## {section}", "")
        yield "| what | against | CPU, ours | CPU, theirs | CPU ratio | rate ratio | aim | |"
        yield "|---|---|---|---|---|---|---|---|"
        yield from map(_row, rows)
        yield ""


def sorted_by_section(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Keep the order in which sections were first measured, each of them whole."""
    order = list(dict.fromkeys(each.section for each in comparisons))
    return sorted(comparisons, key=lambda each: order.index(each.section))


def _row(row: Comparison) -> str:
    cpu = f"{_duration(row.our_cpu_us)} | {_duration(row.their_cpu_us)}"
    verdict = "" if not _aim(row) else "met" if row.is_met else "**not met**"
    ratios = f"{_ratio(row.cpu_ratio)} | {_ratio(row.rate_ratio)}"
    return f"| {row.what} | {row.against} | {cpu} | {ratios} | {_aim(row)} | {verdict} |"


def _aim(row: Comparison) -> str:
    aims = []
    if row.cpu_ratio_max is not None:
        aims.append(f"CPU ≤ {row.cpu_ratio_max:g}")
    if row.rate_ratio_min is not None:
        aims.append(f"rate ≥ {row.rate_ratio_min:g}")
    return ", ".join(aims)


def _ratio(value: float) -> str:
    """Return two decimals, or two digits of what is small and no decimals of what is large."""
    if value < SMALL:
        return f"{value:.2g} ×"
    return f"{value:.2f} ×" if value < LARGE else f"{value:.0f} ×"


def _duration(microseconds: float) -> str:
    """Return three digits with the unit that suits them."""
    value, unit = next((microseconds / size, unit) for size, unit in UNITS if microseconds >= size or size == 1)
    return f"{float(f'{value:.3g}'):g} {unit}"


def _render_facts(run: Run) -> Iterator[str]:
    if run.facts:
        yield from ("## Other figures", "", "| of | figure | value |", "|---|---|---|")
        yield from (f"| {fact.section} | {fact.name} | {fact.value:g} {fact.unit} |" for fact in run.facts)
        yield ""


def _render_missing(run: Run) -> Iterator[str]:
    if run.not_run:
        yield from ("## Not run", "", *(f"- `{name}`" for name in run.not_run), "")


def newest() -> Path:
    return max(FOLDER.glob("*.json"), key=lambda path: (path.stem[:10], path.stem.endswith("full")))


def main() -> None:
    path = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else newest()
    source = path.relative_to(ROOT).as_posix()
    PAGE.write_text(render_page(read_run(path), source=source), encoding="utf-8")


if __name__ == "__main__":
    main()

"""Proofs: how much of one to run, and what it measured.

A proof is a stated claim with a stated dose ("64 callers × 50 rounds"). `make proof` runs all of them at a small dose,
`make proof DOSE=full` (`FAIRGROUND_PROOF_DOSE=full`) at the stated one. Both write what they measured to `var/proof/`.
"""

import json
import os
import platform
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TypeVar

IS_FULL: Final = os.environ.get("FAIRGROUND_PROOF_DOSE", "small") == "full"

Amount = TypeVar("Amount")


class Dose:
    """Chooses between two amounts: `dose(small=3, full=50)`."""

    is_full = IS_FULL

    def __call__(self, *, small: Amount, full: Amount) -> Amount:
        return full if IS_FULL else small


@dataclass(frozen=True)
class Figure:
    """One measured number, in words that a closing note can quote."""

    test: str
    name: str
    value: float
    unit: str


def write_figures(folder: Path, figures: list[Figure], *, servers: dict[str, str]) -> Path:
    """Write the figures as JSON and as a page, named after the dose so that a small run spares the large one's.

    Returns:
        The path of the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    dose = "full" if IS_FULL else "small"
    surroundings = {
        "dose": dose,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "sqlite": sqlite3.sqlite_version,
        **servers,
    }
    facts = {**surroundings, "figures": [asdict(figure) for figure in figures]}
    (folder / f"{dose}.json").write_text(json.dumps(facts, indent=2) + "\n")
    head = [f"- {name}: {value}" for name, value in surroundings.items()]
    rows = [f"| {figure.test} | {figure.name} | {figure.value:g} {figure.unit} |" for figure in figures]
    page = ["# What the proofs measured", "", *head, "", "| proof | figure | value |", "|---|---|---|", *rows, ""]
    path = folder / f"{dose}.md"
    path.write_text("\n".join(page))
    return path

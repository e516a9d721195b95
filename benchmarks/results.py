"""A run's file: what was compared with what, the machine, and its calibration."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.calibration import Calibration, Machine
from benchmarks.measuring import Rounds

FOLDER: Final = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True)
class Comparison:
    """Two sides of the same run. CPU is for one unit, and ratios are medians of the ratios of rounds."""

    section: str
    what: str
    against: str
    unit: str
    """What is counted: a request, a job, a page."""
    our_cpu_us: float
    their_cpu_us: float
    cpu_ratio: float
    """Ours by theirs; less is better."""
    rate_ratio: float
    """Ours by theirs; more is better."""
    cpu_ratio_max: float | None
    """The aim; None if there is none. `rate_ratio_min` the same."""
    rate_ratio_min: float | None

    @property
    def is_met(self) -> bool:
        is_cheap = self.cpu_ratio_max is None or self.cpu_ratio <= self.cpu_ratio_max
        return is_cheap and (self.rate_ratio_min is None or self.rate_ratio >= self.rate_ratio_min)


@dataclass(frozen=True)
class Fact:
    """A measured number that is compared with nothing."""

    section: str
    name: str
    value: float
    unit: str


@dataclass(frozen=True)
class Run:
    made_on: str
    dose: str
    machine: Machine
    calibration: Calibration
    software: dict[str, str]
    """The servers that took part, by their name."""
    comparisons: Sequence[Comparison]
    facts: Sequence[Fact]
    not_run: Sequence[str]
    """Benchmarks that failed, or for which something is not installed."""

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_run(path: Path) -> Run:
    stored = json.loads(path.read_text(encoding="utf-8"))
    stored["machine"] = Machine(**stored["machine"])
    stored["calibration"] = Calibration(**stored["calibration"])
    stored["comparisons"] = [Comparison(**each) for each in stored["comparisons"]]
    stored["facts"] = [Fact(**each) for each in stored["facts"]]
    return Run(**stored)


def today() -> str:
    return datetime.now(UTC).date().isoformat()


class Recorder:
    """Takes down what the benchmarks of a run have measured."""

    def __init__(self) -> None:
        self.comparisons: list[Comparison] = []
        self.facts: list[Fact] = []

    def compare(
        self,
        section: str,
        what: str,
        against: str,
        rounds: Rounds,
        *,
        unit: str,
        ours: str = "ours",
        theirs: str = "theirs",
        cpu_ratio_max: float | None = None,
        rate_ratio_min: float | None = None,
    ) -> None:
        """Record two sides of the same rounds.

        Args:
            what: What is ours, in a few words; `against` is the peer or the limit.
            ours: The name in the rounds; `theirs` the same.
            cpu_ratio_max: The aim, if there is one; `rate_ratio_min` the same.
        """
        self.comparisons.append(
            Comparison(
                section=section,
                what=what,
                against=against,
                unit=unit,
                our_cpu_us=_short(rounds.median(ours).cpu_seconds * 1e6),
                their_cpu_us=_short(rounds.median(theirs).cpu_seconds * 1e6),
                cpu_ratio=_short(rounds.cpu_ratio(ours, theirs)),
                rate_ratio=_short(rounds.rate_ratio(ours, theirs)),
                cpu_ratio_max=cpu_ratio_max,
                rate_ratio_min=rate_ratio_min,
            )
        )

    def compare_databases(self, section: str, what: str, against: str, rounds: Rounds, *, unit: str) -> None:
        """Record what PostgreSQL took of the same two sides, whose costs have names of `in_postgres`."""
        ours, theirs = map(in_postgres, ("ours", "theirs"))
        part = f"{what}: PostgreSQL's part"
        self.compare(section, part, against, rounds, unit=unit, ours=ours, theirs=theirs)

    def note(self, section: str, name: str, value: float, unit: str) -> None:
        """Record a number that is compared with nothing."""
        self.facts.append(Fact(section, name, _short(value), unit))


def in_postgres(name: str) -> str:
    """Return under which name the database's part of a contestant is added to the rounds."""
    return f"{name}, PostgreSQL"


def _short(value: float) -> float:
    """Keep four digits: more of them are chance."""
    return float(f"{value:.4g}")

"""What the parts of the program count about themselves, apart from the format in which it is shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from fairground.platform.histogram import DurationHistogram

Labels = tuple[str, ...]


@dataclass(frozen=True)
class Counted:
    """A number that only grows, for each combination of label values."""

    name: str
    """Without the prefix that all names have."""
    meaning: str
    counts: Sequence[tuple[Labels, float]]
    labels: Labels = ()


@dataclass(frozen=True)
class Gauged:
    """A number as it is now; None when it is unknown."""

    name: str
    meaning: str
    value: float | None


@dataclass(frozen=True)
class Timed:
    """How long something took, for each combination of label values."""

    name: str
    meaning: str
    durations: Sequence[tuple[Labels, DurationHistogram]]
    labels: Labels = ()


Measure = Counted | Gauged | Timed

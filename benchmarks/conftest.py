"""The fixture by which a benchmark records what it has compared; a run's file gets all of it."""

from collections.abc import Callable
from typing import Protocol

import pytest

from benchmarks.measuring import Rounds


class Compare(Protocol):
    def __call__(
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
        """Record a comparison.

        Args:
            what: What is ours, in a few words.
            against: The peer or the limit.
            ours: The name in the rounds; `theirs` the same.
            cpu_ratio_max: The aim, if there is one; `rate_ratio_min` the same.
        """


@pytest.fixture
def comparison(figure: Callable[[str, float, str], None]) -> Compare:
    def record(
        section: str,  # noqa: ARG001
        what: str,
        against: str,
        rounds: Rounds,
        *,
        unit: str,
        ours: str = "ours",
        theirs: str = "theirs",
        cpu_ratio_max: float | None = None,  # noqa: ARG001
        rate_ratio_min: float | None = None,  # noqa: ARG001
    ) -> None:
        for name in (ours, theirs):
            figure(f"{what}, {name}: CPU", rounds.median(name).cpu_seconds * 1e6, f"µs for a {unit}")
        figure(f"{what} against {against}", rounds.cpu_ratio(ours, theirs), "× CPU")
        figure(f"{what} against {against}", rounds.rate_ratio(ours, theirs), "× rate")

    return record

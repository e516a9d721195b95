"""The page of benchmarks, and the ratios that it shows."""

from typing import Any, Final

import pytest

from benchmarks.calibration import Calibration, Machine
from benchmarks.measuring import Cost, Rounds
from benchmarks.results import Comparison, Recorder, Run, read_run
from tools.benchmarks_page import render_page

ROUNDS: Final = [(1.0, 2.0), (9.0, 3.0), (3.0, 4.0)]
"""CPU of ours and theirs in each round; the medians of the sides are 3 and 3."""


def make_rounds() -> Rounds:
    rounds = Rounds()
    for ours, theirs in ROUNDS:
        rounds.add("ours", Cost(ours, ours * 10))
        rounds.add("theirs", Cost(theirs, theirs * 10))
    return rounds


def make_run(*, load: float = 0.2, **aims: Any) -> Run:
    recorder = Recorder()
    recorder.compare("Lists", "a hit", "nginx", make_rounds(), unit="request", **aims)
    machine = Machine(cpu="Some CPU", cores=2, kernel="6.1", python="3.11.7", load=load)
    calibration = Calibration(20.0, 50.0, 0.4)
    return Run("2026-11-30", "small", machine, calibration, {}, recorder.comparisons, facts=(), not_run=())


def test_ratio_is_the_median_of_the_ratios_of_the_rounds() -> None:
    assert make_rounds().cpu_ratio("ours", "theirs") == 0.75


def test_rate_is_higher_where_less_time_passes() -> None:
    assert make_rounds().rate_ratio("ours", "theirs") == pytest.approx(4 / 3)


def test_every_second_round_is_in_reverse_order_and_the_first_does_not_count() -> None:
    rounds, turns = Rounds(), []
    for name in rounds.turns("ours", "theirs", rounds=2):
        turns.append(name)
        rounds.add(name, Cost(len(turns), 1))
    assert turns == ["ours", "theirs", "ours", "theirs", "theirs", "ours"]
    assert rounds.median("ours").cpu_seconds == 4.5


@pytest.mark.parametrize(
    ("aims", "verdict"),
    [
        ({}, "|  |  |"),
        ({"cpu_ratio_max": 0.75, "rate_ratio_min": 1.3}, "| CPU ≤ 0.75, rate ≥ 1.3 | met |"),
        ({"cpu_ratio_max": 0.7}, "| CPU ≤ 0.7 | **not met** |"),
        ({"cpu_ratio_max": 1, "rate_ratio_min": 1.4}, "| CPU ≤ 1, rate ≥ 1.4 | **not met** |"),
    ],
)
def test_page_says_whether_an_aim_is_met(aims: dict[str, float], verdict: str) -> None:
    row = f"| a hit | nginx | 3 s | 3 s | 0.75 × | 1.33 × {verdict}"
    assert row in render_page(make_run(**aims), source="benchmarks/results/some.json")


def test_page_says_that_other_work_used_the_machine() -> None:
    sentence = "Other work used the machine"
    assert sentence in render_page(make_run(load=4), source="some.json")
    assert sentence not in render_page(make_run(), source="some.json")


def test_file_of_a_run_is_read_as_it_was_written(tmp_path: Any) -> None:
    run = make_run(cpu_ratio_max=1)
    run.write(tmp_path / "run.json")
    stored = read_run(tmp_path / "run.json")
    assert isinstance(stored.comparisons[0], Comparison)
    assert render_page(stored, source="run.json") == render_page(run, source="run.json")

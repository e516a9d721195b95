import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.proofs import Figure, write_figures


def test_figures_are_kept_with_the_dose_and_the_place_they_were_measured_at(tmp_path: Path) -> None:
    figures, servers = [Figure("test_race", "rounds", 50, "1/s")], {"PostgreSQL": "PostgreSQL 18.6"}
    page = write_figures(tmp_path / "proof", figures, servers=servers)
    facts = json.loads(page.with_suffix(".json").read_text())
    assert facts["figures"] == [{"test": "test_race", "name": "rounds", "value": 50, "unit": "1/s"}]
    assert facts["PostgreSQL"] == "PostgreSQL 18.6"
    assert facts["dose"] == page.stem
    assert "| test_race | rounds | 50 1/s |" in page.read_text()


def test_a_figure_travels_with_the_report_of_its_test(
    figure: Callable[[str, float, str], None], request: pytest.FixtureRequest
) -> None:
    figure("answers of this test", 1, "answer")
    assert request.node.user_properties == [("figure", [request.node.nodeid, "answers of this test", 1, "answer"])]
    # Not worth a line in the report.
    request.node.user_properties.clear()

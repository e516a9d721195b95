"""What is said of a time does not depend on the zone files of the machine that says it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.support import zone_witness
from tests.support.machine_zones import machine_environment, write_wrong_zone_files


@pytest.fixture(params=["wrong", "none"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Mapping[str, str]:
    """Give the environment of a machine with wrong zone files, or with none."""
    if request.param == "wrong":
        write_wrong_zone_files(tmp_path)
    return machine_environment(tmp_path)


def run(*command: str, machine: Mapping[str, str]) -> str:
    ran = subprocess.run(
        [sys.executable, *command], env={**os.environ, **machine}, capture_output=True, text=True, check=True
    )
    return ran.stdout


@cache
def said_here() -> Any:
    return json.loads(json.dumps(zone_witness.witness()))


def test_statements_are_the_same_on_another_machine(machine: Mapping[str, str]) -> None:
    said = json.loads(run("-m", zone_witness.__name__, machine=machine))
    assert len(said["zones"]) > 590
    different = [zone for zone, statements in said["zones"].items() if statements != said_here()["zones"][zone]]
    assert different == []
    assert said == said_here()


def test_wrong_files_are_what_the_machine_of_the_test_reads(tmp_path: Path) -> None:
    write_wrong_zone_files(tmp_path)
    code = "import datetime, zoneinfo; zone = zoneinfo.ZoneInfo('America/Vancouver')"
    code += "; print(datetime.datetime(2027, 1, 12, 16, tzinfo=datetime.UTC).astimezone(zone).isoformat())"
    assert run("-c", code, machine=machine_environment(tmp_path)) == "2027-01-12T09:45:00-06:15\n"

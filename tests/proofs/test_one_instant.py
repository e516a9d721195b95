"""API, page, mail and calendar file name one instant, whatever the zone files of the machine."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fairground.kernel.zones import get_zone
from tests.support import zone_market
from tests.support.machine_zones import machine_environment, write_wrong_zone_files
from tests.support.proofs import Dose
from tests.support.transitions import PER_ZONE, ZONES, next_transitions

SOONEST_FIRST = sorted(ZONES, key=lambda zone: zone not in {"America/Vancouver", "Africa/Casablanca", "Europe/Kyiv"})


def test_api_page_mail_and_file_agree_around_transitions_on_every_machine(
    tmp_path: Path, dose: Dose, figure: Callable[[str, float, str], None]
) -> None:
    zones, transitions = SOONEST_FIRST[: dose(small=3, full=40)], dose(small=1, full=PER_ZONE)
    for name in ("here", "wrong", "none"):
        (tmp_path / name / "zones").mkdir(parents=True)
    write_wrong_zone_files(tmp_path / "wrong" / "zones")
    machines: dict[str, Mapping[str, str]] = {
        "here": {},
        **{name: machine_environment(tmp_path / name / "zones") for name in ("wrong", "none")},
    }

    def book_on(name: str) -> list[Any]:
        return _book(tmp_path / name, zones, transitions, environment=machines[name])

    with ThreadPoolExecutor(max_workers=2) as pool:
        statements = dict(zip(machines, pool.map(book_on, machines), strict=True))
    expected = [(zone, at) for zone in zones for at in next_transitions(zone)[:transitions]]
    for name, said in statements.items():
        assert len(said) == len(expected) == len(zones) * transitions
        assert said == statements["here"], name
        assert [each for each in said if len(_instants(each)) != 1] == [], name
    figure("bookings whose API, page, mail and files agree on three machines", len(expected), "")


def _instants(said: Mapping[str, Any]) -> set[datetime]:
    """Return the instants that the statements name: by their words alone, without the rules of any zone."""
    instant, offset, words = said["page"]
    wall, mailed_offset = _read_mail(said["mail"])
    local = datetime.fromisoformat(said["api"]).astimezone(get_zone(said["zone"]))
    assert f"{local:%H:%M}–" in words
    return {
        datetime.fromisoformat(said["api"]),
        datetime.fromisoformat(instant),
        _read_wall(words) - timedelta(minutes=offset),
        wall - mailed_offset,
        datetime.strptime(said["file"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        datetime.strptime(said["attached"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
    }


def _read_wall(words: str) -> datetime:
    """Read the start in "Thu 3 Dec 2026, 19:00–20:30 (…)" as if it were UTC."""
    found = re.match(r"\w+ (\d+ \w{3})\w* (\d{4}), (\d\d:\d\d)", words)
    assert found, words
    return datetime.strptime(" ".join(found.groups()), "%d %b %Y %H:%M").replace(tzinfo=UTC)


def _read_mail(words: str) -> tuple[datetime, timedelta]:
    found = re.search(r"UTC(?:([+-])(\d+)(?::(\d\d))?)?\)$", words)
    assert found, words
    offset = timedelta(hours=int(found[2] or 0), minutes=int(found[3] or 0))
    return _read_wall(words), -offset if found[1] == "-" else offset


def _book(folder: Path, zones: list[str], transitions: int, *, environment: Mapping[str, str]) -> list[Any]:
    ran = subprocess.run(
        [sys.executable, "-m", zone_market.__name__, str(folder), ",".join(zones), str(transitions)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]

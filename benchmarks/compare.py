"""Compares two checkouts of this repository: server CPU per request in interleaved rounds, and CPU of commands.

    python -m benchmarks.compare BEFORE AFTER [--database postgresql://…] [--rounds 5] [--only PATTERN] [--out FILE]

Each checkout is a directory with its own `.venv`. Both get the same demo, in a SQLite file or in a new database of the
server that is named. Their servers run side by side on one core, and requests come from the other. CPU travels between
machines better than rates do. The ratio is the median of the ratios of the rounds.
"""

import argparse
import contextlib
import http.client
import itertools
import json
import os
import re
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg

from benchmarks import load
from benchmarks.calibration import calibrate, describe_machine
from benchmarks.job_runs import OUR_WORKER, run_jobs
from benchmarks.measuring import Cost, Meter, Rounds, cpu_seconds_of, postgres_process
from benchmarks.results import Recorder, Run, today
from tools.guardian import free_port

START_SECONDS: Final = 120
IDLE_SECONDS: Final = 600  # on a machine with other work
CUSTOMER: Final = {"email": "customer-1@example.org", "password": "demo-fairground"}
API: Final = "/api/v1"
PROFILES: Final = f"{API}/service-provider-profiles/"
LIST: Final = f"{PROFILES}?vertical=artists&sort=most_booked&limit=12"


@dataclass
class Checkout:
    """One version of the program with an installation of its own."""

    name: str
    folder: Path
    data_dir: Path
    database_url: str
    commands: dict[str, Cost] = field(default_factory=dict)

    def make_tables(self) -> None:
        self._run("db", "upgrade")

    def prepare(self) -> None:
        """Make the database and its demo, and note the CPU that the commands take."""
        for name, arguments in {
            "--help": ["--help"],
            "db upgrade": ["db", "upgrade"],
            "demo": ["demo", "--into-this-database"],
        }.items():
            self.commands[name] = self._run(*arguments)

    def _run(self, *arguments: str) -> Cost:
        """Run `fairground …` to its end, and return what it took with its children."""
        began_at, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        program = [str(self.folder / ".venv/bin/fairground"), *arguments]
        done = subprocess.run(
            program, env=self._environment(), capture_output=True, text=True, cwd=self.folder, check=False
        )
        if done.returncode:
            raise SystemExit(f"{self.name}: fairground {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return Cost(cpu_seconds, time.perf_counter() - began_at)

    def _environment(self, **more: str) -> dict[str, str]:
        own = {"FAIRGROUND_DATA_DIR": str(self.data_dir), "FAIRGROUND_DATABASE_URL": self.database_url}
        return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | own | more

    @contextlib.contextmanager
    def serving(self) -> Iterator["Site"]:
        port, log = free_port(), self.data_dir / "serve.log"
        environment = self._environment(FAIRGROUND_HTTP_PORT=str(port))
        program = [str(self.folder / ".venv/bin/fairground"), "serve"]
        with (
            log.open("wb") as output,
            subprocess.Popen(program, env=environment, stdout=output, stderr=output, cwd=self.folder) as process,
        ):
            try:
                _wait_until_ready(port, process, log)
                site = Site(port, process.pid)
                site.wait_until_idle()
                yield site
            finally:
                process.terminate()


class Site:
    """A running server, asked on one connection that stays open."""

    def __init__(self, port: int, process_id: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.process_id = process_id
        self.numbers = itertools.count(1)
        self.slots = self._find_slots()
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        self._token = ""

    def ask(self, path: str, *, body: object = None, headers: Mapping[str, str] | None = None) -> tuple[bytes, Message]:
        """Send a GET, or a POST with a body, and return body and headers of the answer."""
        sent, payload = dict(headers or {}), None
        if body is not None:
            payload, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
        self._connection.request("GET" if payload is None else "POST", path, body=payload, headers=sent)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{path} answered {answer.status}: {content[:300]!r}")
        return content, answer.headers

    def json(self, path: str, *, body: object = None) -> Any:
        return json.loads(self.ask(path, body=body, headers=self.credentials())[0])

    def credentials(self) -> dict[str, str]:
        """Return the headers of a signed-in customer."""
        if not self._token:
            self._token = json.loads(self.ask(f"{API}/auth/login?mode=token", body=CUSTOMER)[0])["token"]
        return {"Authorization": f"Bearer {self._token}"}

    def wait_until_idle(self) -> None:
        """Wait until the jobs that the demo has left are done: in a second they would take most of one."""
        used = cpu_seconds_of(self.process_id)
        for _ in range(IDLE_SECONDS):
            time.sleep(1)
            before, used = used, cpu_seconds_of(self.process_id)
            if used - before < 0.05:
                return
        raise SystemExit("A server did not become idle.")

    def _find_slots(self) -> Iterator[dict[str, str]]:
        """Yield free times, each as the body of a hold."""
        first = datetime.now(UTC).date() + timedelta(days=3)
        for page in itertools.count(1):
            cards = self.json(f"{PROFILES}?vertical=tutors&limit=50&page={page}")["data"]
            if not cards:
                raise SystemExit("No free times are left.")
            for card in cards:
                base = f"{PROFILES}{card['id']}"
                for service in self.json(f"{base}/services")["data"][:1]:
                    query = f"from={first}&to={first + timedelta(days=6)}&service_id={service['id']}"
                    for slot in self.json(f"{base}/availability?{query}")["slots"][:2]:
                        yield {"service_id": service["id"], "starts_at": slot["starts_at"]}


def _wait_until_ready(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        with contextlib.suppress(OSError):
            connection.request("GET", "/readyz")
            connection.getresponse().read()
            return
        time.sleep(0.1)
    raise SystemExit(f"A server did not start:\n{log.read_text()}")


Scenario = Callable[[Site], int]
"""Asks for something many times, and returns how many requests those were."""


def repeated(path: str, times: int, headers: Mapping[str, str] | None = None) -> Scenario:
    def run(site: Site) -> int:
        for _ in range(times):
            site.ask(path, headers=headers)
        return times

    return run


def under_load(path: str, headers: Mapping[str, str] | None = None, *, seconds: int = 2) -> Scenario:
    """Ask on sixteen connections without a pause."""

    def run(site: Site) -> int:
        return load.send_requests(site.url + path, seconds=seconds, headers=headers or {})[0]

    return run


def uncached(template: str, times: int) -> Scenario:
    """Ask for addresses that are asked for once."""

    def run(site: Site) -> int:
        for number in itertools.islice(site.numbers, times):
            site.ask(template.format(number))
        return times

    return run


def signed_in(path: str, times: int) -> Scenario:
    def run(site: Site) -> int:
        return repeated(path, times, site.credentials())(site)

    return run


def hold_and_cancel(site: Site) -> int:
    times = 12
    for slot in itertools.islice(site.slots, times):
        booking = site.json(f"{API}/bookings", body=slot)
        site.json(f"{API}/bookings/{booking['id']}/cancel", body={})
    return times


def scenarios(site: Site) -> dict[str, Scenario]:
    """Return what is asked, with the addresses that this installation has."""
    home = site.ask("/")[0].decode()
    script = re.search(r'"(/static/[^"]+\.js)"', home)
    content, headers = site.ask(LIST)
    card = json.loads(content)["data"][0]
    found: dict[str, Scenario] = {
        "list, hit": under_load(LIST),
        "list, hit in br": under_load(LIST, {"Accept-Encoding": "br"}),
        "list, 304": under_load(LIST, {"If-None-Match": headers["ETag"]}),
        "list, miss": uncached(f"{PROFILES}?vertical=artists&limit=12&minPrice=0&maxPrice={{}}", 150),
        "search, miss": uncached(f"{API}/search?q=jazz+piano&maxPrice=9{{}}", 60),
        "home page": repeated("/", 500),
        "list page": repeated("/c/artists", 500),
        "provider page": repeated(f"/p/{card['slug']}", 500),
        "provider, API": repeated(f"{PROFILES}{card['id']}", 500),
        "me": signed_in(f"{API}/me", 200),
        "bookings": signed_in(f"{API}/bookings", 200),
        "hold and cancel": hold_and_cancel,
    }
    if script:
        found["script file"] = under_load(script[1])
    if address := card["profile_picture_url"]:
        # A drawn picture is a file, to which the address of an avatar leads.
        address = site.ask(address)[1]["Location"] or address
        found["picture"] = under_load(address)
        found["picture, 304"] = under_load(address, {"If-None-Match": site.ask(address)[1]["ETag"]})
    return found


class Report:
    """Prints each line as soon as it is measured, and keeps it for the file."""

    def __init__(self) -> None:
        self.recorder = Recorder()
        print("| CPU                 | before   | after    | ratio |\n|---|---|---|---|", flush=True)

    def add(self, what: str, rounds: Rounds, *, unit: str) -> None:
        """Add the costs of `before` and `after`: those of commands are shown in seconds, others in milliseconds."""
        scale, sign = (1, ", s") if unit == "command" else (1_000, "")
        old, new = (rounds.median(name).cpu_seconds * scale for name in ("before", "after"))
        print(
            f"| {what + sign:<19} | {old:8.4f} | {new:8.4f} | {rounds.cpu_ratio('after', 'before'):5.2f} |", flush=True
        )
        self.recorder.compare("After", what, "before", rounds, unit=unit, ours="after", theirs="before")


def compare_sites(before: Checkout, after: Checkout, report: Report, *, rounds: int, only: str) -> None:
    """Compare the CPU of commands, and of each scenario for a request."""
    checkouts = {"before": before, "after": after}
    for checkout in checkouts.values():
        checkout.prepare()
    for command in before.commands:
        once = Rounds()
        for name, checkout in checkouts.items():
            once.add(name, checkout.commands[command])
        report.add(command, once, unit="command")
    with before.serving() as old, after.serving() as new, load.pinned_to_load_core():
        sites = {"before": old, "after": new}
        for site in sites.values():
            load.pin(site.process_id)
        found = {name: scenarios(site) for name, site in sites.items()}
        for scenario in filter(re.compile(only).search, found["before"]):
            measured = Rounds()
            for name in measured.turns(*sites, rounds=rounds):
                meter = Meter(sites[name].process_id)
                measured.add(name, meter.cost(units=found[name][scenario](sites[name])))
            report.add(scenario, measured, unit="request")


JOB_LINE: Final = "no-op job"
JOBS: Final = 1_000
JOB_BATCHES: Final = (5, 100)  # what a worker runs at a time, and the most that it may


def compare_jobs(before: Checkout, after: Checkout, report: Report, *, rounds: int, database: str | None) -> None:
    """Compare jobs that do nothing, which a new worker runs in each round.

    Args:
        before: Has a database of its own for it, for waiting jobs of the demo would make each claim slower.
        database: The address of PostgreSQL, whose part has a line of its own; None for SQLite.
    """
    server = postgres_process(database) if database else 0
    checkouts = {"before": before, "after": after}
    for checkout in checkouts.values():
        checkout.make_tables()
    for batch in JOB_BATCHES:
        workers, databases = Rounds(), Rounds()
        for name in workers.turns(*checkouts, rounds=rounds, warm_up=False):
            python, url = checkouts[name].folder / ".venv/bin/python", checkouts[name].database_url
            worker, of_database = run_jobs(python, OUR_WORKER, url=url, jobs=JOBS, batch=batch, server=server)
            workers.add(name, worker)
            databases.add(name, of_database)
        what = f"{JOB_LINE}, {batch} at once"
        report.add(what, workers, unit="job")
        if server:
            report.add(f"{what}, PostgreSQL's part", databases, unit="job")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--database", help="a PostgreSQL server on which databases may be created; else SQLite")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="a pattern for the names of what is measured")
    parser.add_argument("--out", type=Path, help="a file that gets the same, as JSON like those of `make bench`")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:

        def pair(purpose: str) -> tuple[Checkout, Checkout]:
            before, after = (
                _checkout(stack, f"{name}{purpose}", path, folder=Path(folder), server=asked.database)
                for name, path in (("before", asked.before), ("after", asked.after))
            )
            return before, after

        machine, calibration = describe_machine(), calibrate(Path(folder) / "calibration")
        print(f"{machine}. {calibration}.", flush=True)
        report = Report()
        if re.search(asked.only, JOB_LINE):
            compare_jobs(*pair("_jobs"), report, rounds=asked.rounds, database=asked.database)
        if asked.only != JOB_LINE:
            compare_sites(*pair(""), report, rounds=asked.rounds, only=asked.only)
        if asked.out:
            comparisons = report.recorder.comparisons
            Run(today(), "comparison", machine, calibration, {}, comparisons, facts=(), not_run=()).write(asked.out)


def _checkout(stack: contextlib.ExitStack, name: str, path: Path, *, folder: Path, server: str | None) -> Checkout:
    """Return a checkout with an empty database, which is dropped at the end."""
    data_dir = folder / name
    data_dir.mkdir()
    url = stack.enter_context(_database(server, name)) if server else f"sqlite:///{data_dir}/fairground.db"
    return Checkout(name, path.resolve(), data_dir, url)


@contextlib.contextmanager
def _database(server: str, name: str) -> Iterator[str]:
    database = f"fairground_compare_{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {database}".encode())
        connection.execute(f"CREATE DATABASE {database}".encode())
    yield urlsplit(server)._replace(path=f"/{database}").geturl()
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database} WITH (FORCE)".encode())


if __name__ == "__main__":
    main()

"""The sandbox's file: shared by processes, consistent after every kill."""

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from fairground.sandbox.stripe import store
from fairground.sandbox.stripe.protocol import Page
from fairground.sandbox.stripe.store import SandboxStore, Tx
from tests.support.proofs import Dose

CHILD: Final = Path(__file__).with_name("child.py")


def run_and_kill(path: Path, *, first: int, shift_seconds: float) -> list[str]:
    """Let a process make intents for a moment, kill it at a random instant, and return what it acknowledged."""
    command = [sys.executable, str(CHILD), str(path), str(first), str(shift_seconds)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip()]
        time.sleep(random.uniform(0, 0.2))
        process.kill()
        acknowledged += [line.strip() for line in process.stdout]
    return [intent_id for intent_id in acknowledged if intent_id]


@pytest.mark.proof
async def test_kill_at_any_instant_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path, dose: Dose) -> None:
    path = tmp_path / "sandbox.db"
    acknowledged: list[str] = []
    for run in range(dose(small=3, full=40)):
        acknowledged += run_and_kill(path, first=len(acknowledged), shift_seconds=run * 60)

    file = SandboxStore(path)
    bodies, _ = await file.read(partial(store.list_page, table="intent", page=Page.model_construct(limit=10**9)))
    kept = [json.loads(body) for body in reversed(bodies)]
    assert [intent["id"] for intent in kept[: len(acknowledged)]] == acknowledged
    # One more may be there: committed, and the process died before it could say so.
    assert len(kept) <= len(acknowledged) + 1
    assert [intent["metadata"]["number"] for intent in kept] == [str(number) for number in range(len(kept))]
    events, _ = await file.read(partial(store.list_page, table="event", page=Page.model_construct(limit=10**9)))
    assert len(events) == 2 * len(kept)
    assert acknowledged
    file.close()


async def test_cancelled_caller_does_not_split_a_transaction(tmp_path: Path) -> None:
    file = SandboxStore(tmp_path / "sandbox.db")

    def slow_write(tx: Tx) -> None:
        tx.execute("INSERT INTO secret VALUES ('a', '1')")
        time.sleep(0.2)
        tx.execute("INSERT INTO secret VALUES ('b', '2')")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await file.write(slow_write)
    assert await file.read(lambda tx: tx.execute("SELECT count(*) FROM secret").fetchone()[0]) == 2
    file.close()


async def test_failed_transaction_writes_nothing(tmp_path: Path) -> None:
    file = SandboxStore(tmp_path / "sandbox.db")

    def fail(tx: Tx) -> None:
        tx.execute("INSERT INTO secret VALUES ('a', '1')")
        raise LookupError

    with pytest.raises(LookupError):
        await file.write(fail)
    assert await file.read(lambda tx: tx.execute("SELECT count(*) FROM secret").fetchone()[0]) == 0
    file.close()


async def test_eight_processes_may_create_the_file_at_once(tmp_path: Path) -> None:
    files = [SandboxStore(tmp_path / "sandbox.db") for _ in range(8)]
    secrets = await asyncio.gather(*(file.secret("api_key", prefix="sk_test_") for file in files))
    assert len(set(secrets)) == 1
    for file in files:
        file.close()

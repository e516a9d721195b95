"""The sandbox's file: every SQL statement of the fake, and the one thread that runs them.

Standard library sqlite3 by decision (ADR 3): the fake represents a company elsewhere, so it shares neither the
database nor the transactions of the marketplace.
"""

import asyncio
import json
import secrets
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Literal, TypeVar

from fairground.platform.private_files import create_private_file, make_private_folder
from fairground.sandbox.stripe import protocol
from fairground.sandbox.stripe.protocol import Json, Page

Result = TypeVar("Result")
Tx = sqlite3.Connection

BUSY_TIMEOUT_SECONDS: Final = 5.0

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS intent (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS refund (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, body TEXT NOT NULL,
    payment_intent TEXT NOT NULL REFERENCES intent (id), amount INTEGER NOT NULL CHECK (amount > 0)
) STRICT;
CREATE INDEX IF NOT EXISTS refund_of_intent ON refund (payment_intent);
CREATE TABLE IF NOT EXISTS payment_method (
    id TEXT PRIMARY KEY, body TEXT NOT NULL, test_card TEXT NOT NULL, used_by TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, created INTEGER NOT NULL, body TEXT NOT NULL,
    due_at REAL, attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS event_due ON event (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS idempotency_key (
    key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, fingerprint TEXT NOT NULL, created REAL NOT NULL,
    claim TEXT, locked_until REAL, status INTEGER, body TEXT
) STRICT;
"""


class SandboxStore:
    """One connection, used by one thread: cancelling a caller cannot split a transaction."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="payments-sandbox")
        self._connection: sqlite3.Connection | None = None
        self._secrets: dict[str, str] = {}

    async def read(self, question: Callable[[Tx], Result]) -> Result:
        return await self._run(question, begin="BEGIN")

    async def write(self, work: Callable[[Tx], Result]) -> Result:
        """Run `work` in one transaction. It is on the disk when this returns; an exception undoes all of it."""
        return await self._run(work, begin="BEGIN IMMEDIATE")

    async def secret(self, name: str, *, prefix: str) -> str:
        """Return this installation's secret of that name, made on first use."""
        if name not in self._secrets:
            made = prefix + secrets.token_urlsafe(24)
            self._secrets[name] = await self.write(lambda tx: _find_or_keep_secret(tx, name=name, made=made))
        return self._secrets[name]

    def close(self) -> None:
        self._thread.submit(self._disconnect).result()
        self._thread.shutdown()

    async def _run(self, work: Callable[[Tx], Result], *, begin: str) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work, begin)

    def _transact(self, work: Callable[[Tx], Result], begin: str) -> Result:
        if self._connection is None:
            self._connection = _open(self._path)
        self._connection.execute(begin)
        try:
            result = work(self._connection)
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        return result

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(path: Path) -> sqlite3.Connection:
    # It keeps the secret that webhooks are signed with. SQLite gives the files beside it the same mode.
    make_private_folder(path.parent)
    create_private_file(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN IMMEDIATE")
    for statement in _SCHEMA.split(";"):
        connection.execute(statement)
    connection.execute("COMMIT")
    return connection


def _enter_wal(connection: sqlite3.Connection) -> None:
    # The change of journal needs the file alone and, unlike other statements, does not wait for a neighbour that opens
    # the same new file at the same moment.
    give_up_at = time.monotonic() + BUSY_TIMEOUT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.01)
        else:
            return


def _find_or_keep_secret(tx: Tx, *, name: str, made: str) -> str:
    tx.execute("INSERT INTO secret (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, made))
    value: str = tx.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()[0]
    return value


def save_intent(tx: Tx, intent_id: str, *, created: int, body: str) -> None:
    tx.execute(
        "INSERT INTO intent (id, created, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        (intent_id, created, body),
    )


def insert_refund(tx: Tx, refund: Json) -> None:
    values = (refund["id"], refund["created"], json.dumps(refund), refund["payment_intent"], refund["amount"])
    tx.execute("INSERT INTO refund (id, created, body, payment_intent, amount) VALUES (?, ?, ?, ?, ?)", values)


def refunded_amount(tx: Tx, intent_id: str) -> int:
    """Return what has been given back so far, in minor units."""
    question = "SELECT coalesce(sum(amount), 0) FROM refund WHERE payment_intent = ?"
    total: int = tx.execute(question, (intent_id,)).fetchone()[0]
    return total


def insert_event(tx: Tx, event: Json, *, due_at: float) -> None:
    values = (event["id"], event["created"], json.dumps(event), due_at)
    tx.execute("INSERT INTO event (id, created, body, due_at) VALUES (?, ?, ?, ?)", values)


def insert_payment_method(tx: Tx, made: Json, *, test_card: str) -> None:
    values = (made["id"], json.dumps(made), test_card)
    tx.execute("INSERT INTO payment_method (id, body, test_card) VALUES (?, ?, ?)", values)


def find_test_card(tx: Tx, payment_method: str) -> tuple[str, str | None] | None:
    """Return the test card that a payment method was made of, and the intent that it was used for."""
    found: tuple[str, str | None] | None = tx.execute(
        "SELECT test_card, used_by FROM payment_method WHERE id = ?", (payment_method,)
    ).fetchone()
    return found


def use_payment_method(tx: Tx, payment_method: str, *, intent_id: str) -> None:
    tx.execute("UPDATE payment_method SET used_by = ? WHERE id = ?", (intent_id, payment_method))


def find_object(tx: Tx, table: Literal["intent", "refund", "event", "payment_method"], object_id: str) -> Json | None:
    row = tx.execute(f"SELECT body FROM {table} WHERE id = ?", (object_id,)).fetchone()  # noqa: S608 - a literal
    found: Json | None = json.loads(row[0]) if row else None
    return found


def list_page(
    tx: Tx, table: Literal["intent", "refund", "event"], *, page: Page, payment_intent: str | None = None
) -> tuple[list[str], bool]:
    """Return one page of stored bodies, newest first, and whether more follow.

    Raises:
        StripeError: The object that the page shall start after or end before is not there.
    """
    bounds: dict[str, int | str | None] = {"created > ?": page.created.gt, "created >= ?": page.created.gte}
    bounds |= {"created < ?": page.created.lt, "created <= ?": page.created.lte}
    bounds |= {"seq < ?": _position(tx, table, page.starting_after, param="starting_after")}
    bounds |= {"seq > ?": _position(tx, table, page.ending_before, param="ending_before")}
    bounds |= {"payment_intent = ?": payment_intent}
    given = {condition: value for condition, value in bounds.items() if value is not None}
    # A page that ends before an object is the one next to it, so it is read upwards and turned round.
    upwards = page.ending_before is not None
    where, order = " AND ".join(["1", *given]), "ASC" if upwards else "DESC"
    question = f"SELECT body FROM {table} WHERE {where} ORDER BY seq {order} LIMIT ?"  # noqa: S608 - our own words
    bodies = [row[0] for row in tx.execute(question, (*given.values(), page.limit + 1))]
    kept = bodies[: page.limit]
    return (kept[::-1] if upwards else kept), len(bodies) > page.limit


def _position(tx: Tx, table: str, object_id: str | None, *, param: str) -> int | None:
    if object_id is None:
        return None
    row = tx.execute(f"SELECT seq FROM {table} WHERE id = ?", (object_id,)).fetchone()  # noqa: S608 - our own word
    if row is None:
        raise protocol.no_such(table, object_id, param=param, status=400)
    position: int = row[0]
    return position


def claim_due_events(tx: Tx, *, now: float, lease_seconds: float, limit: int) -> list[tuple[str, str, int]]:
    """Take events whose webhook is due, as (id, body, number of this attempt).

    An event whose delivery is not recorded becomes due again.
    """
    chosen = "SELECT seq FROM event WHERE due_at <= ? ORDER BY seq LIMIT ?"
    rows = tx.execute(
        f"UPDATE event SET due_at = ?, attempts = attempts + 1 WHERE seq IN ({chosen}) "  # noqa: S608 - our own words
        "RETURNING seq, id, body, attempts",
        (now + lease_seconds, now, limit),
    ).fetchall()
    return [(event_id, body, attempts) for _, event_id, body, attempts in sorted(rows)]


def record_delivery(tx: Tx, event_id: str, *, due_at: float | None) -> None:
    """Set when the webhook is tried again; None when it has arrived or was given up."""
    tx.execute("UPDATE event SET due_at = ? WHERE id = ?", (due_at, event_id))

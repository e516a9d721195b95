"""How much database work one call makes: its transactions and its statements."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fairground.platform.db.database import Database
from tests.support.statements import statements_of


@dataclass
class DatabaseWork:
    """Counted transactions, and statements other than those that open and close them."""

    reads: int = 0
    writes: int = 0
    statements: int = 0

    def is_within(self, bound: "DatabaseWork") -> bool:
        return self.reads <= bound.reads and self.writes <= bound.writes and self.statements <= bound.statements


@contextmanager
def database_work(db: Database) -> Iterator[DatabaseWork]:
    """Count the work of everything that uses `db` within the block; the counts are there after it."""
    work = DatabaseWork()
    reads, writes = _opened(db, "read"), _opened(db, "write")
    with statements_of(db) as sent:
        yield work
    work.reads = _opened(db, "read") - reads
    work.writes = _opened(db, "write") - writes
    work.statements = len(sent)


def _opened(db: Database, kind: str) -> int:
    # Each transaction adds how long it waited to be opened.
    return sum(db.waits[kind].counts)

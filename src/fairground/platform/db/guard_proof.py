"""The proof, at every start, that the database still refuses what it must."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import Executable

from fairground.platform.db.database import Database
from fairground.platform.db.dialect.guards import GuardError, OverlapGuard


async def prove_guard(db: Database, *, guard: OverlapGuard, attempts: Sequence[Sequence[Executable]]) -> None:
    """Try to break the guard, and keep nothing of it.

    Args:
        attempts: Each is run in a transaction of its own that never commits; its last statement must be refused.

    Raises:
        GuardError: One was not refused.
    """
    for attempt in attempts:
        try:
            async with db.write() as tx:
                for statement in attempt:
                    await tx.execute(statement)
                # Leaving the block by an exception takes the rows back.
                raise GuardError(
                    f"The table {guard.table} has lost its guard against double bookings, so nothing is served."
                    " Run `fairground db upgrade`, which makes it anew."
                )
        except IntegrityError as error:
            if not guard.is_refusal(error):
                raise

"""The tables of time and of deals have one migration history."""

from pathlib import Path
from typing import Final

from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.time.tables import ALLOCATION_GUARD
from fairground.platform.db.history import History

history: Final = History(
    name="booking",
    metadata=BookingRow.metadata,
    folder=Path(__file__).parent / "migrations",
    after_upgrade=ALLOCATION_GUARD.ensure,
)

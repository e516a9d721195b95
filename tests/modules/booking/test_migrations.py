"""What an upgrade makes of the bookings that are there."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, text

from fairground.kernel.ids import uuid7
from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.tables import history
from fairground.modules.reviews.tables import ReviewRow
from fairground.modules.reviews.tables import history as reviews
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import find_drift, upgrade

STARTS_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
BOOKING: dict[str, Any] = {
    "version": 3,
    "status": "completed",
    "booking_mode": "request",
    "provider_name": "Ada",
    "provider_slug": "ada",
    "service_name": "Algebra",
    "vertical": "tutors",
    "starts_at": STARTS_AT,
    "ends_at": STARTS_AT + timedelta(hours=1),
    "timezone": "UTC",
    "starts_wall": "2026-03-01T12:00",
    "starts_fold": 0,
    "total_minor": 5000,
    "currency": "EUR",
    "cancellation": {"steps": []},
    "answer_due_hours": 24,
    "was_confirmed": True,
    "created_at": STARTS_AT,
    "changed_at": STARTS_AT,
}


def _until(folder: Path, revision: str) -> Path:
    shutil.copytree(history.folder, folder)
    for file in (folder / "versions").glob("*.py"):
        if file.name[:4] > revision:
            file.unlink()
    return folder


def _row(**values: Any) -> dict[str, Any]:
    ids = {name: uuid7() for name in ("customer_id", "provider_id", "provider_owner_id", "service_id")}
    return BOOKING | ids | values


def test_bookings_learn_of_the_reviews_that_are_there(database_url: str, tmp_path: Path) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    both, customer, neither = (uuid7() for _ in range(3))
    with engine.begin() as connection:
        upgrade(connection, [replace(history, folder=_until(tmp_path / "old", "0002")), reviews])
        # Without the columns that are not there yet, for which the mapped table would write its defaults.
        for booking_id in (both, customer, neither):
            connection.execute(insert(BookingRow).values(_row(id=booking_id)))
        for booking_id, side in ((both, "customer"), (both, "provider"), (customer, "customer")):
            review = {"id": uuid7(), "booking_id": booking_id, "provider_id": uuid7(), "author_id": uuid7()}
            words = {"side": side, "author_name": "Kim", "rating": 5, "text": "", "created_at": STARTS_AT}
            connection.execute(insert(ReviewRow).values(review | words))
    with engine.begin() as connection:
        assert upgrade(connection, [history, reviews]) == ["booking"]
        found = connection.execute(
            select(BookingRow.id, BookingRow.has_customer_review, BookingRow.has_provider_review)
        ).all()
        assert find_drift(connection, [history, reviews]) == []
        kept = connection.scalar(text("SELECT count(*) FROM booking_booking WHERE total_minor = 5000"))
    engine.dispose()
    assert kept == 3
    assert {row[0]: (row[1], row[2]) for row in found} == {
        both: (True, True),
        customer: (True, False),
        neither: (False, False),
    }


def test_bookings_without_a_table_of_reviews_are_upgraded(database_url: str, tmp_path: Path) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    with engine.begin() as connection:
        upgrade(connection, [replace(history, folder=_until(tmp_path / "old", "0002"))])
        connection.execute(insert(BookingRow).values(_row(id=uuid7())))
    with engine.begin() as connection:
        assert upgrade(connection, [history]) == ["booking"]
        assert connection.scalar(select(BookingRow.has_customer_review)) is False
    engine.dispose()

"""What an upgrade makes of providers whose hours had another zone than their profile."""

import json
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, select, text

from fairground.modules.booking.deals.tables import BookingRow
from fairground.modules.booking.tables import history as booking_history
from fairground.modules.booking.time.tables import ProviderZoneRow
from fairground.modules.providers.tables import ProviderRow
from fairground.modules.providers.tables import history as catalog_history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.history import History
from fairground.platform.db.migrate import upgrade

_PROVIDER = """
    INSERT INTO catalog_provider (id, vertical, slug, status, business_name, location, timezone, created_at,
        price_sort_minor, book_count, rating_sum, rating_count, rating_avg, has_hours, hours_version)
    VALUES (:id, 'tutors', :slug, 'approved', 'Ada', 'Oslo', :timezone, :at, 4500, 0, 0, 0, 0, :yes, 0)
"""
_BOOKING = """
    INSERT INTO booking_booking (id, version, status, booking_mode, customer_id, provider_id, provider_owner_id,
        provider_name, provider_slug, service_id, service_name, vertical, starts_at, ends_at, timezone, starts_wall,
        starts_fold, total_minor, currency, cancellation, answer_due_hours, was_confirmed, created_at, changed_at)
    VALUES (:id, 1, 'confirmed', 'instant', :id, :id, :id, 'Ada', 'ada', :id, 'Algebra', 'tutors', :at, :later,
        'America/New_York', '2026-01-12T09:00', 0, 4500, 'EUR', '{}', 24, :yes, :at, :at)
"""
_NINE = {"weekday": 0, "start": "09:00:00", "end": "12:00:00"}
_CLOSED = {"date": "2027-01-04", "available": False, "start": None, "end": None}


def before_the_change(history: History, folder: Path, *, until: str) -> History:
    shutil.copytree(history.folder, folder)
    for revision in (folder / "versions").glob("*.py"):
        if revision.name[:4] > until:
            revision.unlink()
    return replace(history, folder=folder, after_upgrade=None)


def _cases() -> dict[UUID, tuple[str, dict[str, object] | None, str]]:
    tokyo = "Asia/Tokyo"
    # The zone of the profile, the document of the hours, and the zone that is right.
    return {
        uuid4(): (tokyo, {"timezone": "America/New_York", "weekly": [_NINE], "exceptions": []}, "America/New_York"),
        uuid4(): (tokyo, {"timezone": "America/New_York", "weekly": [], "exceptions": [_CLOSED]}, "America/New_York"),
        uuid4(): (tokyo, {"timezone": "UTC", "weekly": [], "exceptions": []}, tokyo),
        uuid4(): (tokyo, {"timezone": "UTC", "weekly": []}, tokyo),
        uuid4(): (tokyo, {"timezone": tokyo, "weekly": [_NINE]}, tokyo),
        uuid4(): (tokyo, None, tokyo),
        uuid4(): ("localtime", {"timezone": "Europe/Oslo", "weekly": [_NINE]}, "Europe/Oslo"),
        uuid4(): ("localtime", None, "UTC"),
    }


def _insert(
    connection: Connection, cases: dict[UUID, tuple[str, dict[str, object] | None, str]], *, is_sqlite: bool
) -> None:
    moments: dict[str, Any] = {"at": "2026-01-12T14:00Z", "later": "2026-01-12T15:00Z"}
    if is_sqlite:
        moments = {name: int(datetime.fromisoformat(each).timestamp()) * 1_000_000 for name, each in moments.items()}
    for provider_id, (timezone, hours, _) in cases.items():
        values = {
            "id": provider_id.hex,
            "slug": str(provider_id),
            "timezone": timezone,
            "at": moments["at"],
            "yes": True,
        }
        connection.execute(text(_PROVIDER), values)
        if hours is not None:
            rules = "INSERT INTO booking_rules (provider_id, version, document) VALUES (:id, 1, :document)"
            connection.execute(text(rules), {"id": provider_id.hex, "document": json.dumps(hours)})
    connection.execute(text(_BOOKING), {"id": next(iter(cases)).hex, **moments, "yes": True})


@pytest.mark.parametrize("order", ["catalog first", "booking first"])
def test_zone_of_the_hours_becomes_the_zone_of_the_provider(database_url: str, tmp_path: Path, order: str) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    is_sqlite = engine.dialect.name == "sqlite"
    cases = _cases()
    old = [
        before_the_change(catalog_history, tmp_path / "catalog", until="0010"),
        before_the_change(booking_history, tmp_path / "booking", until="0002"),
    ]
    with engine.begin() as connection:
        upgrade(connection, old)
        _insert(connection, cases, is_sqlite=is_sqlite)
    histories = [catalog_history, booking_history]
    with engine.begin() as connection:
        upgrade(connection, histories if order == "catalog first" else histories[::-1])
        zones = dict(connection.execute(select(ProviderRow.id, ProviderRow.timezone)).all())
        copies = dict(connection.execute(select(ProviderZoneRow.provider_id, ProviderZoneRow.timezone)).all())
        versions = set(connection.scalars(select(ProviderRow.timezone_version)))
        copied_versions = set(connection.scalars(select(ProviderZoneRow.version)))
        [booking] = connection.execute(select(BookingRow.starts_at, BookingRow.timezone)).all()
    engine.dispose()
    assert zones == {provider_id: right for provider_id, (_, _, right) in cases.items()}
    with_hours = {key for key, (_, hours, _) in cases.items() if hours and (hours["weekly"] or hours.get("exceptions"))}
    assert {key: copies[key] for key in with_hours} == {key: zones[key] for key in with_hours}
    assert (versions, copied_versions) == ({1}, {0})
    assert (booking.starts_at.isoformat(), booking.timezone) == ("2026-01-12T14:00:00+00:00", "America/New_York")

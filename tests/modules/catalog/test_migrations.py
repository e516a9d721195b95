"""What an upgrade makes of the rows that are there."""

import shutil
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import text

from fairground.modules.catalog.domain.places import place_values
from fairground.modules.catalog.tables import history
from fairground.platform.db.dialect.opening import open_backend
from fairground.platform.db.migrate import upgrade

_PROVIDER = """
    INSERT INTO catalog_provider (id, vertical, slug, status, business_name, location, lat, lng, timezone, created_at,
        price_sort_minor, book_count, rating_sum, rating_count, rating_avg, has_hours, hours_version)
    VALUES (:id, 'artists', :slug, :status, 'A band', 'Oslo', :lat, :lng, 'Europe/Oslo', :created_at, 4500, 7, 0, 0, 0,
        :has_hours, 0)
"""


def test_providers_of_the_first_revision_stand_in_their_lists(database_url: str, tmp_path: Path) -> None:
    shutil.copytree(history.folder, tmp_path / "first")
    for revision in (tmp_path / "first" / "versions").glob("*.py"):
        if not revision.name.startswith("0001"):
            revision.unlink()
    engine = open_backend(database_url, pool_size=1, is_guest=True).migration_engine()
    is_sqlite = engine.dialect.name == "sqlite"
    approved, draft = uuid4().hex, uuid4().hex
    with engine.begin() as connection:
        upgrade(connection, [replace(history, folder=tmp_path / "first", after_upgrade=None)])
        for name, status, lat, lng in ((approved, "approved", 59.91, 10.75), (draft, "draft", None, None)):
            values = {"id": name, "slug": name, "status": status, "lat": lat, "lng": lng, "has_hours": False}
            values["created_at"] = 1_700_000_000_000_000 if is_sqlite else "2026-01-01T00:00Z"
            connection.execute(text(_PROVIDER), values)
        category = "INSERT INTO catalog_provider_category (provider_id, category, position) VALUES (:id, 'dj', 0)"
        connection.execute(text(category), [{"id": approved}, {"id": draft}])
    with engine.begin() as connection:
        upgrade(connection, [history])
        entries = connection.execute(
            text("SELECT scope, book_count, lat_band, lng, x FROM catalog_list_entry ORDER BY scope")
        ).all()
    engine.dispose()
    place = place_values(59.91, 10.75)
    expected = (7, place["lat_band"], 10.75, place["x"])
    assert [tuple(entry) for entry in entries] == [(scope, *expected) for scope in ("", "artists", "artists/dj")]

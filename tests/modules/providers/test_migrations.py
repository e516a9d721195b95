"""What an upgrade makes of the rows that are there."""

import shutil
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from sqlalchemy import select, text

from fairground.modules.discovery.domain.places import place_values
from fairground.modules.discovery.tables import MAYBE_ANY_DAY, SearchDocumentRow
from fairground.modules.providers.tables import PortraitRow, ProviderRow, history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.migrate import upgrade

_PROVIDER = """
    INSERT INTO catalog_provider (id, vertical, slug, status, business_name, location, lat, lng, timezone, created_at,
        price_sort_minor, book_count, rating_sum, rating_count, rating_avg, has_hours, hours_version)
    VALUES (:id, 'artists', :slug, :status, 'A band', 'Oslo', :lat, :lng, 'Europe/Oslo', :created_at, 4500, 7, 0, 0, 0,
        :has_hours, 0)
"""


_EMBEDDED = "data:image/png;base64,iVBORw0KGgo="


def copy_history(folder: Path, *, until: str) -> Path:
    """Copy the revisions up to one."""
    shutil.copytree(history.folder, folder)
    for revision in (folder / "versions").glob("*.py"):
        if revision.name[:4] > until:
            revision.unlink()
    return folder


def test_pictures_that_stood_in_the_column_of_addresses_wait_elsewhere(database_url: str, tmp_path: Path) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    old = replace(history, folder=copy_history(tmp_path / "old", until="0008"), after_upgrade=None)
    at = 1_700_000_000_000_000 if engine.dialect.name == "sqlite" else "2026-01-01T00:00Z"
    urls = {"whole": _EMBEDDED, "broken": "DATA:image/png;base64,!", "kept": "/api/v1/img/1?v=1", "none": None}
    ids = {name: uuid4().hex for name in urls}
    with engine.begin() as connection:
        upgrade(connection, [old])
        for name, provider_id in ids.items():
            values = {"id": provider_id, "slug": name, "status": "approved", "lat": None, "lng": None}
            connection.execute(text(_PROVIDER), {**values, "created_at": at, "has_hours": False})
            put = text("UPDATE catalog_provider SET profile_picture_url = :url WHERE slug = :slug")
            connection.execute(put, {"url": urls[name], "slug": name})
    with engine.begin() as connection:
        upgrade(connection, [history])
        shown = connection.execute(text("SELECT slug, profile_picture_url FROM catalog_provider")).all()
        waiting = connection.execute(
            text(
                "SELECT slug, content, place, state, alt FROM catalog_embedded_picture"
                " JOIN catalog_provider ON catalog_provider.id = provider_id ORDER BY slug"
            )
        ).all()
    engine.dispose()
    assert {slug: url for slug, url in shown if url} == {"kept": "/api/v1/img/1?v=1"}
    assert [(row.slug, bytes(row.content), row.place, row.state, row.alt) for row in waiting] == [
        ("broken", b"DATA:image/png;base64,!", "portrait", "waiting", "A band"),
        ("whole", b"\x89PNG\r\n\x1a\n", "portrait", "waiting", "A band"),
    ]


def test_providers_of_the_first_revision_stand_in_their_lists(database_url: str, tmp_path: Path) -> None:
    first = copy_history(tmp_path / "first", until="0001")
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    is_sqlite = engine.dialect.name == "sqlite"
    approved, draft = uuid4().hex, uuid4().hex
    with engine.begin() as connection:
        upgrade(connection, [replace(history, folder=first, after_upgrade=None)])
        for name, status, lat, lng in ((approved, "approved", 59.91, 10.75), (draft, "draft", None, None)):
            values = {"id": name, "slug": name, "status": status, "lat": lat, "lng": lng, "has_hours": False}
            values["created_at"] = 1_700_000_000_000_000 if is_sqlite else "2026-01-01T00:00Z"
            connection.execute(text(_PROVIDER), values)
        category = "INSERT INTO catalog_provider_category (provider_id, category, position) VALUES (:id, 'dj', 0)"
        connection.execute(text(category), [{"id": approved}, {"id": draft}])
        phrase = "INSERT INTO catalog_provider_phrase (field, phrase, provider_id) VALUES (:field, :phrase, :id)"
        for field, tail in (("name", "a band"), ("name", "band"), ("location", "oslo")):
            connection.execute(text(phrase), {"field": field, "phrase": tail, "id": approved})
    with engine.begin() as connection:
        upgrade(connection, [history])
        entries = connection.execute(
            text("SELECT scope, book_count, lat_band, lng, x, folded_location FROM catalog_list_entry ORDER BY scope")
        ).all()
        names = connection.scalars(text("SELECT phrase FROM catalog_name_phrase ORDER BY phrase")).all()
        locations = connection.execute(
            text("SELECT phrase, folded_location FROM catalog_location_phrase ORDER BY phrase")
        ).all()
    engine.dispose()
    place = place_values(59.91, 10.75)
    expected = (7, place["lat_band"], 10.75, place["x"], "oslo")
    endings = [("lo", "oslo"), ("o", "oslo"), ("oslo", "oslo"), ("slo", "oslo")]
    assert (names, [tuple(row) for row in locations]) == (["a band", "band"], endings)
    assert [tuple(entry) for entry in entries] == [(scope, *expected) for scope in ("", "artists", "artists/dj")]


def test_portraits_that_were_shown_are_shown_as_squares(database_url: str, tmp_path: Path) -> None:
    shutil.copytree(history.folder, tmp_path / "before")
    for revision in (tmp_path / "before" / "versions").glob("*.py"):
        if revision.name > "0008":
            revision.unlink()
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    is_sqlite = engine.dialect.name == "sqlite"
    chosen, refused, drawn = (uuid4() for _ in range(3))
    old, new = uuid4(), uuid4()
    urls = {chosen: f"/api/v1/img/{old}?v=abc", refused: f"/api/v1/img/{new}?v=def", drawn: "/pictures/1.svg"}
    with engine.begin() as connection:
        upgrade(connection, [replace(history, folder=tmp_path / "before", after_upgrade=None)])
        for provider, url in urls.items():
            values: dict[str, object] = {"id": provider.hex, "slug": provider.hex, "status": "approved"}
            values |= {
                "lat": None,
                "lng": None,
                "created_at": 1_700_000_000_000_000 if is_sqlite else "2026-01-01T00:00Z",
                "has_hours": False,
            }
            connection.execute(text(_PROVIDER), values)
            given = {"id": provider.hex, "url": url}
            connection.execute(text("UPDATE catalog_provider SET profile_picture_url = :url WHERE id = :id"), given)
        portrait = text("INSERT INTO catalog_portrait (provider_id, picture_id) VALUES (:id, :picture)")
        connection.execute(portrait, {"id": chosen.hex, "picture": new.hex})
    with engine.begin() as connection:
        upgrade(connection, [history])
        shown = connection.execute(select(ProviderRow.id, ProviderRow.profile_picture_url)).all()
        columns = (PortraitRow.provider_id, PortraitRow.picture_id, PortraitRow.shown_picture_id)
        portraits = connection.execute(select(*columns)).all()
    engine.dispose()
    assert {row.id: row.profile_picture_url for row in shown} == {
        chosen: f"/api/v1/img/avatar/{chosen}?v=abc",
        refused: f"/api/v1/img/avatar/{refused}?v=def",
        drawn: "/pictures/1.svg",
    }
    assert {tuple(row) for row in portraits} == {(chosen, new, old), (refused, new, new)}


def test_documents_that_were_there_do_not_say_that_anybody_is_closed(database_url: str, tmp_path: Path) -> None:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    old = replace(history, folder=copy_history(tmp_path / "old", until="0009"))
    at = 1_700_000_000_000_000 if engine.dialect.name == "sqlite" else "2026-01-01T00:00Z"
    band = {"id": uuid4().hex, "slug": "band", "status": "approved", "lat": None, "lng": None, "has_hours": False}
    document = (
        "INSERT INTO catalog_search_document (provider_id, vertical, location, book_count, rating_avg, name, place,"
        " categories, services, words) VALUES (:id, 'artists', 'Oslo', 7, 0, 'a band', 'oslo', '', '', 'na nband')"
    )
    with engine.begin() as connection:
        upgrade(connection, [old])
        connection.execute(text(_PROVIDER), {**band, "created_at": at})
        connection.execute(text(document), {"id": band["id"]})
    with engine.begin() as connection:
        upgrade(connection, [history])
        assert connection.scalars(select(SearchDocumentRow.open_days)).all() == [MAYBE_ANY_DAY]
    engine.dispose()

"""The revision that makes the table of users again keeps what refers to it, and finds users by their words."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.exc import IntegrityError

from fairground.kernel.ids import uuid7
from fairground.modules.accounts.tables import SessionRow, UserRow, UserWordRow, history
from fairground.platform.db.dialect import open_backend
from fairground.platform.db.history import History
from fairground.platform.db.migrate import upgrade

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = open_backend(database_url, pool_size=1, is_secondary=True).migration_engine()
    yield engine
    engine.dispose()


@pytest.fixture
def first_revision(tmp_path: Path) -> History:
    (tmp_path / "accounts" / "versions").mkdir(parents=True)
    shutil.copy(history.versions / "1000_accounts.py", tmp_path / "accounts" / "versions")
    return replace(history, folder=tmp_path / "accounts")


def _insert_ada(connection: Connection) -> None:
    user_id, ends_at = uuid7(), NOW + timedelta(days=1)
    user = {"id": user_id, "email": "ada@example.org", "name": "Ada Løvelace", "role": "admin", "password_hash": "x"}
    connection.execute(insert(UserRow).values(**user, created_at=NOW))
    session = {"id": uuid7(), "user_id": user_id, "secret_hash": b"s" * 32, "kind": "browser", "name": "Firefox"}
    times = {"created_at": NOW, "last_seen_at": NOW, "expires_at": ends_at, "ends_at": ends_at}
    connection.execute(insert(SessionRow).values(**session, **times))


def test_upgrade_keeps_sessions_and_finds_earlier_users_by_their_words(engine: Engine, first_revision: History) -> None:
    with engine.begin() as connection:
        upgrade(connection, [first_revision])
        _insert_ada(connection)
    with engine.begin() as connection:
        assert upgrade(connection, [history]) == ["accounts"]
    with engine.begin() as connection:
        [user] = connection.execute(select(UserRow.id, UserRow.status, UserRow.status_version, UserRow.phone)).all()
        assert (user.status, user.status_version, user.phone) == ("active", 0, None)
        [session] = connection.execute(select(SessionRow.user_id, SessionRow.expires_at)).all()
        assert (session.user_id, session.expires_at) == (user.id, NOW + timedelta(days=1))
        words = connection.scalars(select(UserWordRow.word).order_by(UserWordRow.word)).all()
        assert words == ["ada", "ada@example.org", "lovelace"]


@pytest.mark.parametrize("change", ["role = 'owner'", "status = 'lost'", "email = 'ADA@example.org'"])
def test_upgraded_table_takes_the_new_role_and_keeps_its_other_checks(
    engine: Engine, first_revision: History, change: str
) -> None:
    with engine.begin() as connection:
        upgrade(connection, [first_revision])
        _insert_ada(connection)
        upgrade(connection, [history])
        connection.execute(text("UPDATE accounts_user SET role = 'staff'"))
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text(f"UPDATE accounts_user SET {change}"))

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from fairground.kernel.ids import uuid7
from fairground.modules.accounts.tables import UserRow, history
from fairground.platform.db.database import Database
from fairground.platform.db.migrate import find_drift


async def test_the_revisions_make_the_tables_that_the_code_sees(db: Database) -> None:
    engine = db.backend.migration_engine()
    with engine.connect() as connection:
        drift = [change for change in find_drift(connection, [history]) if "accounts" in str(change)]
    engine.dispose()

    assert drift == []


@pytest.mark.parametrize("email", ["ada@example.org", "Ada@example.org"])
async def test_the_database_itself_refuses_a_second_account_for_an_address(db: Database, email: str) -> None:
    async with db.write() as tx:
        await tx.execute(insert(UserRow).values(_user(await tx.current_time())))

    with pytest.raises(IntegrityError):
        async with db.write() as tx:
            await tx.execute(insert(UserRow).values(_user(await tx.current_time(), email=email)))


def _user(created_at: object, *, email: str = "ada@example.org") -> dict[str, object]:
    return {
        "id": uuid7(),
        "email": email,
        "name": "Ada",
        "role": "customer",
        "password_hash": "x",
        "email_verified_at": None,
        "created_at": created_at,
    }

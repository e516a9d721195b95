"""A user has a telephone number, a status and searchable words; an address is changed by a link; staff is a role."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from fairground.modules.accounts.domain import search_words
from fairground.platform.db.types import BytewiseText, UtcDateTime

revision = "1001"
down_revision = "1000"

_BATCH = 1_000
# The tables as revision 1000 left them. On SQLite a batch makes a table again, and reflection sees no CHECK.
_METADATA = sa.MetaData()
_USER = sa.Table(
    "accounts_user",
    _METADATA,
    sa.Column("id", sa.Uuid(), nullable=False),
    sa.Column("email", sa.Text(), nullable=False),
    sa.Column("name", sa.Text(), nullable=False),
    sa.Column("role", sa.Text(), nullable=False),
    sa.Column("password_hash", sa.Text(), nullable=False),
    sa.Column("email_verified_at", UtcDateTime(), nullable=True),
    sa.Column("created_at", UtcDateTime(), nullable=False),
    sa.CheckConstraint("role IN ('customer', 'provider', 'admin')", name="ck_accounts_user__role"),
    sa.CheckConstraint("email = lower(email)", name="ck_accounts_user__email_is_normalised"),
    sa.PrimaryKeyConstraint("id", name="pk_accounts_user"),
    sa.UniqueConstraint("email", name="uq_accounts_user__email"),
    sa.Index("ix_accounts_user__role_id", "role", "id"),
)
_LINK = sa.Table(
    "accounts_link",
    _METADATA,
    sa.Column("token_hash", sa.LargeBinary(), nullable=False),
    sa.Column("user_id", sa.Uuid(), nullable=False),
    sa.Column("purpose", sa.Text(), nullable=False),
    sa.Column("expires_at", UtcDateTime(), nullable=False),
    sa.CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="ck_accounts_link__purpose"),
    sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name="fk_accounts_link__user_id"),
    sa.PrimaryKeyConstraint("token_hash", name="pk_accounts_link"),
    sa.Index("ix_accounts_link__expires_at", "expires_at"),
    sa.Index("ix_accounts_link__user_id", "user_id"),
)


def upgrade() -> None:
    with _set_aside("accounts_session", "accounts_link"):
        _change_users()
    with op.batch_alter_table("accounts_link", copy_from=_LINK) as table:
        table.drop_constraint(op.f("ck_accounts_link__purpose"), type_="check")
        table.create_check_constraint(
            op.f("ck_accounts_link__purpose"), "purpose IN ('verify_email', 'reset_password', 'change_email')"
        )
    op.create_table(
        "accounts_email_change",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name=op.f("fk_accounts_email_change__user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_accounts_email_change")),
    )
    op.create_index(op.f("ix_accounts_email_change__expires_at"), "accounts_email_change", ["expires_at"])
    op.create_table(
        "accounts_user_word",
        sa.Column("word", BytewiseText(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name=op.f("fk_accounts_user_word__user_id")),
        sa.PrimaryKeyConstraint("word", "user_id", name=op.f("pk_accounts_user_word")),
    )
    op.create_index(op.f("ix_accounts_user_word__user_id_word"), "accounts_user_word", ["user_id", "word"])
    _write_words()


def _change_users() -> None:
    with op.batch_alter_table("accounts_user", copy_from=_USER) as table:
        table.add_column(sa.Column("phone", sa.Text(), nullable=True))
        table.add_column(sa.Column("status", sa.Text(), server_default="active", nullable=False))
        table.add_column(sa.Column("status_version", sa.BigInteger(), server_default="0", nullable=False))
        table.add_column(sa.Column("suspended_at", UtcDateTime(), nullable=True))
        table.add_column(sa.Column("suspension_reason", sa.Text(), nullable=True))
        table.add_column(sa.Column("last_signed_in_at", UtcDateTime(), nullable=True))
        table.drop_constraint(op.f("ck_accounts_user__role"), type_="check")
        table.create_check_constraint(
            op.f("ck_accounts_user__role"), "role IN ('customer', 'provider', 'staff', 'admin')"
        )
        table.create_check_constraint(op.f("ck_accounts_user__status"), "status IN ('active', 'suspended', 'closed')")
        table.create_index(op.f("ix_accounts_user__status_id"), ["status", "id"])
        table.create_index(op.f("ix_accounts_user__status_role_id"), ["status", "role", "id"])


@contextmanager
def _set_aside(*tables: str) -> Iterator[None]:
    """Empty tables whose rows refer to users, and fill them again: on SQLite the table of users is dropped and made."""
    for table in tables:
        op.execute(f"CREATE TABLE {table}_aside AS SELECT * FROM {table}")  # noqa: S608 - names of this file
        op.execute(f"DELETE FROM {table}")  # noqa: S608
    yield
    for table in tables:
        op.execute(f"INSERT INTO {table} SELECT * FROM {table}_aside")  # noqa: S608
        op.execute(f"DROP TABLE {table}_aside")


def _write_words() -> None:
    users = sa.table("accounts_user", sa.column("id", sa.Uuid()), sa.column("email"), sa.column("name"))
    words = sa.table("accounts_user_word", sa.column("word"), sa.column("user_id", sa.Uuid()))
    connection, last = op.get_bind(), None
    while True:
        page = sa.select(users).order_by(users.c.id).limit(_BATCH)
        rows = connection.execute(page if last is None else page.where(users.c.id > last)).all()
        if not rows:
            return
        found = [
            {"word": word, "user_id": row.id} for row in rows for word in search_words(email=row.email, name=row.name)
        ]
        connection.execute(sa.insert(words), found)
        last = rows[-1].id

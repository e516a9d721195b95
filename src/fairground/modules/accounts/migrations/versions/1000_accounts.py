"""Users, their sessions, and the links that are mailed to them."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "1000"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts_user",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("email_verified_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("role IN ('customer', 'provider', 'admin')", name=op.f("ck_accounts_user__role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_accounts_user__email_is_normalised")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_user")),
        sa.UniqueConstraint("email", name=op.f("uq_accounts_user__email")),
    )
    op.create_index(op.f("ix_accounts_user__role_id"), "accounts_user", ["role", "id"])
    op.create_table(
        "accounts_link",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("purpose IN ('verify_email', 'reset_password')", name=op.f("ck_accounts_link__purpose")),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name=op.f("fk_accounts_link__user_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_accounts_link")),
    )
    op.create_index(op.f("ix_accounts_link__expires_at"), "accounts_link", ["expires_at"])
    op.create_index(op.f("ix_accounts_link__user_id"), "accounts_link", ["user_id"])
    op.create_table(
        "accounts_session",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('browser', 'token')", name=op.f("ck_accounts_session__kind")),
        sa.ForeignKeyConstraint(["user_id"], ["accounts_user.id"], name=op.f("fk_accounts_session__user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts_session")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_accounts_session__secret_hash")),
    )
    op.create_index(op.f("ix_accounts_session__expires_at"), "accounts_session", ["expires_at"])
    op.create_index(op.f("ix_accounts_session__user_id"), "accounts_session", ["user_id"])

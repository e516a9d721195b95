"""Claims of imported providers, and mailed invitations to claim one."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import UtcDateTime

revision = "1010"
down_revision = "1002"


def upgrade() -> None:
    op.create_table(
        "providers_claim",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("status IN ('waiting', 'granted', 'refused')", name=op.f("ck_providers_claim__status")),
        sa.CheckConstraint("(refusal IS NOT NULL) = (status = 'refused')", name=op.f("ck_providers_claim__refusal")),
        sa.CheckConstraint("(decided_at IS NULL) = (status = 'waiting')", name=op.f("ck_providers_claim__decided")),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_claim__provider_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_providers_claim")),
    )
    op.create_index(
        "uq_providers_claim__waiting",
        "providers_claim",
        ["provider_id", "user_id"],
        unique=True,
        **only_where("status = 'waiting'"),
    )
    op.create_index(
        op.f("ix_providers_claim__provider_id_user_id_id"), "providers_claim", ["provider_id", "user_id", "id"]
    )
    op.create_index("ix_providers_claim__queue", "providers_claim", ["status", "created_at"])
    op.create_table(
        "providers_invitation",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_invitation__provider_id")
        ),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_providers_invitation")),
    )
    op.create_index(
        op.f("ix_providers_invitation__provider_id_expires_at"), "providers_invitation", ["provider_id", "expires_at"]
    )

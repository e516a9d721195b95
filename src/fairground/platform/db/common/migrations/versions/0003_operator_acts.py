"""Keep who did what to the installation by hand."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import UtcDateTime

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "common_operator_act",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("acted_at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("details", sa.JSON(none_as_null=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_common_operator_act")),
    )
    op.create_index(op.f("ix_common_operator_act__act_acted_at"), "common_operator_act", ["act", "acted_at"])

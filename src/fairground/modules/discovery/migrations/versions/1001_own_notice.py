"""The notice that a provider asks for, where it is not the vertical's."""

import sqlalchemy as sa
from alembic import op

revision = "1001"
down_revision = "1000"


def upgrade() -> None:
    with op.batch_alter_table("discovery_week") as batch:
        batch.add_column(sa.Column("min_notice_hours", sa.BigInteger(), nullable=True))

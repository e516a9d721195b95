"""Count how often others were told of a provider's free days."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("booking_rules", sa.Column("told_version", sa.BigInteger(), nullable=False, server_default="0"))

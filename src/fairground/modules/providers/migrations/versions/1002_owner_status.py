"""A provider is hidden while the account of its owner is suspended or closed."""

import sqlalchemy as sa
from alembic import op

revision = "1002"
down_revision = "1001"


def upgrade() -> None:
    # Plain columns: a batch would make the table again on SQLite, and with it its guards.
    for column in (
        sa.Column("is_owner_active", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("owner_version", sa.BigInteger(), server_default="0", nullable=False),
    ):
        op.add_column("providers_provider", column)

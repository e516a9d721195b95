"""How often the text of a picture was changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("media_picture", sa.Column("alt_version", sa.BigInteger(), nullable=False, server_default="0"))

"""Keep the zone of each provider, which the catalog has, instead of a zone of the hours."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import Json

revision = "0004"
down_revision = "0003"

_RULES = sa.table("booking_rules", sa.column("provider_id", sa.Uuid()), sa.column("document", Json))


def upgrade() -> None:
    zones = op.create_table(
        "booking_provider_zone",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_booking_provider_zone")),
    )
    # The catalog takes over the same zones. Its versions begin at 1, so the next change that it tells is newer.
    kept = sa.select(_RULES.c.provider_id, _RULES.c.document["timezone"].as_string(), sa.literal(0))
    op.execute(sa.insert(zones).from_select(["provider_id", "timezone", "version"], kept))

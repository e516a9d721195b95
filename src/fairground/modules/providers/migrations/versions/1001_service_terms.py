"""Services have a price model, places, numbers of people, an order and a pause; a provider has an address."""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import Json

revision = "1001"
down_revision = "1000"


def upgrade() -> None:
    with op.batch_alter_table("providers_service") as table:
        table.add_column(sa.Column("price_model", sa.Text(), server_default="booking", nullable=False))
        table.add_column(sa.Column("max_duration_minutes", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("min_people", sa.BigInteger(), server_default="1", nullable=False))
        table.add_column(sa.Column("max_people", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("places", Json, server_default='["customer", "provider"]', nullable=False))
        table.add_column(sa.Column("travel_radius_km", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("position", sa.BigInteger(), server_default="0", nullable=False))
        table.add_column(sa.Column("is_paused", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.create_check_constraint(
            op.f("ck_providers_service__price_model"), "price_model IN ('booking', 'person', 'hour')"
        )
        table.create_check_constraint(op.f("ck_providers_service__min_people"), "min_people >= 1")
    with op.batch_alter_table("providers_provider_private") as table:
        table.add_column(sa.Column("address", Json, nullable=True))
        table.add_column(sa.Column("meeting_details", sa.Text(), nullable=True))

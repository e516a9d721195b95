"""Count the changes of a provider's zone, and let the profile have the zone of the hours.

Until now the hours had a zone of their own. Where the two differ, the zone of the hours is kept: by it times were
offered and booked. With the zone of the profile, hours would move that the provider has set.
"""

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import Json

revision = "0011"
down_revision = "0010"

_PROVIDER = sa.table("catalog_provider", sa.column("id", sa.Uuid()), sa.column("timezone", sa.Text()))
# The table of booking, whose own history cannot write into the catalog. The documents keep the zone that they had,
# whichever history is upgraded first.
_RULES = sa.table("booking_rules", sa.column("provider_id", sa.Uuid()), sa.column("document", Json))


def upgrade() -> None:
    column = sa.Column("timezone_version", sa.BigInteger(), nullable=False, server_default="1")
    op.add_column("catalog_provider", column)
    connection = op.get_bind()
    if sa.inspect(connection).has_table(_RULES.name):
        _take_zones_of_hours(connection)
    # Some machines have a file of this name among their zones, by which it was accepted. What it meant is not known.
    is_local = _PROVIDER.c.timezone == "localtime"
    connection.execute(sa.update(_PROVIDER).where(is_local).values(timezone="UTC"))


def _take_zones_of_hours(connection: sa.Connection) -> None:
    zone = _RULES.c.document["timezone"].as_string()
    parts = [sa.func.coalesce(_RULES.c.document[part].as_string(), "[]") for part in ("weekly", "exceptions")]
    has_hours = sa.or_(*(part != "[]" for part in parts))
    found = sa.select(zone).where(_RULES.c.provider_id == _PROVIDER.c.id, has_hours)
    differs = sa.exists(found.where(zone != _PROVIDER.c.timezone))
    connection.execute(sa.update(_PROVIDER).where(differs).values(timezone=found.scalar_subquery()))

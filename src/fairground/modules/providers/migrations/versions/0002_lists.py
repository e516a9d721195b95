"""Keep an entry for each list that a provider stands in, price bands, and on which days providers are free."""

from math import cos, floor, radians, sin

import sqlalchemy as sa
from alembic import op

from fairground.platform.db.types import BytewiseText, UtcDateTime

revision = "0002"
down_revision = "0001"

_SORT_INDEXES = ("most_booked", "top_rated", "newest", "price")
_PLACE_COLUMNS = ("lat_band", "x", "y", "z")


def upgrade() -> None:
    for sort in _SORT_INDEXES:
        op.drop_index(f"ix_catalog_provider__{sort}", "catalog_provider")
        op.drop_index(f"ix_catalog_provider__vertical_{sort}", "catalog_provider")
    op.add_column("catalog_provider", sa.Column("updated_at", UtcDateTime(), nullable=True))
    op.add_column("catalog_provider", sa.Column("lat_band", sa.BigInteger(), nullable=True))
    for name in ("x", "y", "z"):
        op.add_column("catalog_provider", sa.Column(name, sa.Double(), nullable=True))
    _create_tables()
    _place_providers()
    _list_providers()


def _create_tables() -> None:
    op.create_table(
        "catalog_list_entry",
        sa.Column("scope", BytewiseText(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("price_sort_minor", sa.BigInteger(), nullable=False),
        sa.Column("lat_band", sa.BigInteger(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("scope", "provider_id", name=op.f("pk_catalog_list_entry")),
    )
    op.create_table(
        "catalog_price_band",
        sa.Column("scope", BytewiseText(), nullable=False),
        sa.Column("from_minor", sa.BigInteger(), nullable=False),
        sa.Column("providers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "from_minor", name=op.f("pk_catalog_price_band")),
    )
    op.create_table(
        "catalog_week",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("last_starts", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", name=op.f("pk_catalog_week")),
    )
    op.create_table(
        "catalog_day",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last_start", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("provider_id", "day", name=op.f("pk_catalog_day")),
    )
    op.create_index(op.f("ix_catalog_list_entry__provider_id"), "catalog_list_entry", ["provider_id"])
    for name, columns in {
        "most_booked": ["book_count", "provider_id", "price_sort_minor", "rating_avg"],
        "top_rated": ["rating_avg", "provider_id", "price_sort_minor"],
        "newest": ["created_at", "provider_id", "price_sort_minor", "rating_avg"],
        "price": ["price_sort_minor", "provider_id", "rating_avg"],
        "near": ["lat_band", "lng", "provider_id", "x", "y", "z"],
    }.items():
        op.create_index(f"ix_catalog_list_entry__{name}", "catalog_list_entry", ["scope", *columns])


def _place_providers() -> None:
    """Fill in what follows from the coordinates of those who have any."""
    connection = op.get_bind()
    provider = sa.table(
        "catalog_provider",
        sa.column("id", sa.Uuid()),
        *(sa.column(name, sa.Double()) for name in ("lat", "lng", *_PLACE_COLUMNS)),
    )
    placed = connection.execute(
        sa.select(provider.c.id, provider.c.lat, provider.c.lng).where(provider.c.lat.is_not(None))
    ).all()
    rows = [
        {
            "placed_id": provider_id,
            "lat_band": floor(lat * 10),
            "x": cos(radians(lat)) * cos(radians(lng)),
            "y": cos(radians(lat)) * sin(radians(lng)),
            "z": sin(radians(lat)),
        }
        for provider_id, lat, lng in placed
    ]
    if rows:
        statement = sa.update(provider).where(provider.c.id == sa.bindparam("placed_id"))
        connection.execute(statement.values({name: sa.bindparam(name) for name in _PLACE_COLUMNS}), rows)


def _list_providers() -> None:
    """List those who are approved. Their price bands are counted when a server starts, for packs say what they are."""
    op.execute("INSERT INTO catalog_price_band (scope, from_minor, providers) VALUES ('', -1, 0)")
    copied = "book_count, rating_avg, created_at, price_sort_minor, lat_band, lng, x, y, z"
    approved = "FROM catalog_provider AS p {} WHERE p.status = 'approved'"
    in_categories = approved.format("JOIN catalog_provider_category AS c ON c.provider_id = p.id")
    op.execute(
        f"INSERT INTO catalog_list_entry (scope, provider_id, {copied})"
        f" SELECT '', p.id, {copied} {approved.format('')}"
        f" UNION ALL SELECT p.vertical, p.id, {copied} {approved.format('')}"
        f" UNION ALL SELECT p.vertical || '/' || c.category, p.id, {copied} {in_categories}"
    )

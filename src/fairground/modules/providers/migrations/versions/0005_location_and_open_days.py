"""Keep in each entry of a list the location and the weekdays that are open, and phrases of a location only once."""

import sqlalchemy as sa
from alembic import op

from fairground.kernel.folding import fold, phrases
from fairground.platform.db.dialect.columns import READ_FROM_INDEXES
from fairground.platform.db.types import BytewiseText, UtcDateTime

revision = "0005"
down_revision = "0004"

_SORT_KEYS = ("book_count", "rating_avg", "created_at", "price_sort_minor")
_INDEXES = {
    "most_booked": ("book_count", "provider_id", "price_sort_minor", "rating_avg", "open_days", "folded_location"),
    "top_rated": ("rating_avg", "provider_id", "price_sort_minor", "open_days", "folded_location"),
    "newest": ("created_at", "provider_id", "price_sort_minor", "rating_avg", "open_days", "folded_location"),
    "price": ("price_sort_minor", "provider_id", "rating_avg", "open_days", "folded_location"),
    "location": ("folded_location", "provider_id", *_SORT_KEYS, "open_days"),
    "near": ("lat_band", "lng", "provider_id", "x", "y", "z", *_SORT_KEYS, "open_days"),
}
_BITS = " + ".join(
    f"CASE WHEN substr(w.last_starts, {4 * weekday + 1}, 4) = '    ' THEN 0 ELSE {1 << weekday} END"
    for weekday in range(7)
)
_OF_WEEK = f"SELECT {_BITS} FROM catalog_week AS w WHERE w.provider_id = catalog_provider.id"  # noqa: S608 - our own words
# Whoever is free on any single date is taken for free on one that is closed in the week: such providers are looked at
# more closely until the next time something is told of them, and shown as before.
_OPEN_DATES = "SELECT 1 FROM catalog_day AS d WHERE d.provider_id = catalog_provider.id AND d.last_start <> '    '"


def upgrade() -> None:
    op.add_column("catalog_provider", sa.Column("folded_location", BytewiseText(), nullable=False, server_default=""))
    op.add_column("catalog_provider", sa.Column("open_days", sa.BigInteger(), nullable=False, server_default="0"))
    _create_phrases()
    _fill_columns()
    _list_anew()


def _create_phrases() -> None:
    op.create_table(
        "catalog_location_phrase",
        sa.Column("phrase", BytewiseText(), nullable=False),
        sa.Column("folded_location", BytewiseText(), nullable=False),
        sa.PrimaryKeyConstraint("phrase", "folded_location", name=op.f("pk_catalog_location_phrase")),
    )
    op.create_table(
        "catalog_name_phrase",
        sa.Column("phrase", BytewiseText(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("phrase", "provider_id", name=op.f("pk_catalog_name_phrase")),
    )
    op.execute(
        "INSERT INTO catalog_name_phrase (phrase, provider_id)"
        " SELECT phrase, provider_id FROM catalog_provider_phrase WHERE field = 'name'"
    )
    op.create_index(op.f("ix_catalog_name_phrase__provider_id"), "catalog_name_phrase", ["provider_id"])
    op.drop_table("catalog_provider_phrase")


def _fill_columns() -> None:
    connection = op.get_bind()
    locations = connection.scalars(sa.text("SELECT DISTINCT location FROM catalog_provider")).all()
    pairs = {(phrase, fold(location)) for location in locations for phrase in phrases(location)}
    op.bulk_insert(
        sa.table("catalog_location_phrase", sa.column("phrase"), sa.column("folded_location")),
        [{"phrase": phrase, "folded_location": location} for phrase, location in sorted(pairs)],
    )
    # Folding is beyond SQL, and an UPDATE for each provider takes minutes where there are a million.
    folding = op.create_table(
        "catalog_folding", sa.Column("location", sa.Text(), primary_key=True), sa.Column("folded", sa.Text())
    )
    op.bulk_insert(folding, [{"location": location, "folded": fold(location)} for location in locations])
    folded = "SELECT f.folded FROM catalog_folding AS f WHERE f.location = catalog_provider.location"
    bits = f"COALESCE(({_OF_WEEK}), 0) + CASE WHEN EXISTS ({_OPEN_DATES}) THEN 128 ELSE 0 END"
    op.execute(f"UPDATE catalog_provider SET folded_location = ({folded}), open_days = {bits}")  # noqa: S608 - our own words
    op.drop_table("catalog_folding")


def _list_anew() -> None:
    """Make the entries from the providers again: their key and all their indexes are others."""
    op.drop_table("catalog_list_entry")
    op.create_table(
        "catalog_list_entry",
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("scope", BytewiseText(), nullable=False),
        sa.Column("book_count", sa.BigInteger(), nullable=False),
        sa.Column("rating_avg", sa.Double(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("price_sort_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_days", sa.BigInteger(), nullable=False),
        sa.Column("folded_location", BytewiseText(), nullable=False),
        sa.Column("lat_band", sa.BigInteger(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("y", sa.Double(), nullable=True),
        sa.Column("z", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("provider_id", "scope", name=op.f("pk_catalog_list_entry")),
        **READ_FROM_INDEXES,
    )
    copied = "book_count, rating_avg, created_at, price_sort_minor, open_days, folded_location, lat_band, lng, x, y, z"
    approved = "FROM catalog_provider AS p {} WHERE p.status = 'approved'"
    in_categories = approved.format("JOIN catalog_provider_category AS c ON c.provider_id = p.id")
    op.execute(
        f"INSERT INTO catalog_list_entry (scope, provider_id, {copied})"
        f" SELECT '', p.id, {copied} {approved.format('')}"
        f" UNION ALL SELECT p.vertical, p.id, {copied} {approved.format('')}"
        f" UNION ALL SELECT p.vertical || '/' || c.category, p.id, {copied} {in_categories}"
    )
    for name, columns in _INDEXES.items():
        op.create_index(f"ix_catalog_list_entry__{name}", "catalog_list_entry", ["scope", *columns])

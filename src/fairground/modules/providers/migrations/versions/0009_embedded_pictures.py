"""Pictures that stand whole in rows wait in a table of their own, where nobody sees them, to be made into files."""

import hashlib

import sqlalchemy as sa
from alembic import op

from fairground.kernel.ids import uuid7
from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import UtcDateTime
from fairground.platform.images.formats import decode_data_url

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    _create_migrations()
    waiting = _create_pictures()
    _move_portraits(waiting)


def _create_migrations() -> None:
    op.create_table(
        "catalog_picture_migration",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_picture_migration")),
    )
    op.create_index(
        "uq_catalog_picture_migration__running",
        "catalog_picture_migration",
        ["subject"],
        unique=True,
        **only_where("finished_at IS NULL"),
    )
    op.create_index(
        op.f("ix_catalog_picture_migration__subject_started_at"),
        "catalog_picture_migration",
        ["subject", "started_at"],
    )


def _create_pictures() -> sa.Table:
    table = op.create_table(
        "catalog_embedded_picture",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("alt", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("migration_id", sa.Uuid(), nullable=True),
        sa.Column("failure_code", sa.Text(), nullable=True),
        sa.Column("failure_detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "place IN ('portrait', 'portfolio', 'service')", name=op.f("ck_catalog_embedded_picture__place")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'taken', 'migrated', 'failed')", name=op.f("ck_catalog_embedded_picture__state")
        ),
        sa.CheckConstraint(
            "(content IS NULL) = (state = 'migrated')", name=op.f("ck_catalog_embedded_picture__content")
        ),
        sa.CheckConstraint(
            "(migration_id IS NULL) = (state = 'waiting')", name=op.f("ck_catalog_embedded_picture__migration")
        ),
        sa.CheckConstraint(
            "(failure_code IS NOT NULL) = (state = 'failed')", name=op.f("ck_catalog_embedded_picture__failure")
        ),
        sa.ForeignKeyConstraint(
            ["migration_id"], ["catalog_picture_migration.id"], name=op.f("fk_catalog_embedded_picture__migration_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalog_embedded_picture")),
        sa.UniqueConstraint(
            "provider_id", "place", "digest", name=op.f("uq_catalog_embedded_picture__provider_id_place_digest")
        ),
    )
    for columns in (["state", "place", "id"], ["migration_id", "state"]):
        op.create_index(op.f(f"ix_catalog_embedded_picture__{'_'.join(columns)}"), "catalog_embedded_picture", columns)
    return table


def _move_portraits(waiting: sa.Table) -> None:
    """Take whole pictures out of the column for addresses, one by one: each may be of megabytes."""
    provider = sa.table(
        "catalog_provider",
        sa.column("id", sa.Uuid()),
        sa.column("business_name", sa.Text()),
        sa.column("profile_picture_url", sa.Text()),
    )
    connection, url = op.get_bind(), provider.c.profile_picture_url
    for provider_id in connection.scalars(sa.select(provider.c.id).where(url.ilike("data:%"))).all():
        is_it = provider.c.id == provider_id
        name, address = connection.execute(sa.select(provider.c.business_name, url).where(is_it)).one()
        content = decode_data_url(address)
        row = {
            "id": uuid7(),
            "provider_id": provider_id,
            "place": "portrait",
            "digest": hashlib.sha256(content).hexdigest(),
            "content": content,
            "alt": name,
            "state": "waiting",
        }
        connection.execute(sa.insert(waiting).values(row))
        connection.execute(sa.update(provider).where(is_it).values(profile_picture_url=None))

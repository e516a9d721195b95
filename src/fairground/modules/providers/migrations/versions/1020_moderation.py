"""Staff suspend providers, hide pictures and reviews, and find providers in any state by the words of their names."""

from typing import Final

import sqlalchemy as sa
from alembic import op

from fairground.modules.providers.domain.profiles import search_words
from fairground.platform.db.dialect.columns import only_where
from fairground.platform.db.types import BytewiseText

revision = "1020"
down_revision = "1010"

_BATCH: Final = 1_000
_PROVIDER: Final = "providers_provider"


def upgrade() -> None:
    # Plain columns: a batch would make the table again on SQLite, and with it its guards.
    op.add_column(_PROVIDER, sa.Column("is_suspended", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column(_PROVIDER, sa.Column("suspension_version", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column(_PROVIDER, sa.Column("rating_version", sa.BigInteger(), server_default="0", nullable=False))
    # The number of ratings was the version until now, also in events that are still waiting.
    op.execute("UPDATE providers_provider SET rating_version = rating_count")
    op.add_column("providers_provider_private", sa.Column("suspension_reason", sa.Text(), nullable=True))
    for columns in (
        ["status", "id"],
        ["vertical", "id"],
        ["vertical", "status", "id"],
    ):
        op.create_index(op.f(f"ix_providers_provider__{'_'.join(columns)}"), _PROVIDER, columns)
    hidden = {"suspended": "is_suspended = true", "owner_inactive": "is_owner_active = false"}
    for name, condition in hidden.items():
        op.create_index(f"ix_providers_provider__{name}", _PROVIDER, ["id"], **only_where(condition))
    op.create_index(op.f("ix_providers_approval__to_status_id"), "providers_approval", ["to_status", "id"])
    op.create_table(
        "providers_hidden_picture",
        sa.Column("picture_id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_hidden_picture__provider_id")
        ),
        sa.PrimaryKeyConstraint("picture_id", name=op.f("pk_providers_hidden_picture")),
    )
    op.create_index(op.f("ix_providers_hidden_picture__provider_id"), "providers_hidden_picture", ["provider_id"])
    op.create_table(
        "providers_provider_word",
        sa.Column("word", BytewiseText(), nullable=False),
        sa.Column("provider_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["provider_id"], ["providers_provider.id"], name=op.f("fk_providers_provider_word__provider_id")
        ),
        sa.PrimaryKeyConstraint("word", "provider_id", name=op.f("pk_providers_provider_word")),
    )
    _write_words()
    op.create_index(
        op.f("ix_providers_provider_word__provider_id_word"), "providers_provider_word", ["provider_id", "word"]
    )


def _write_words() -> None:
    providers = sa.table(_PROVIDER, sa.column("id", sa.Uuid()), sa.column("business_name"))
    words = sa.table("providers_provider_word", sa.column("word"), sa.column("provider_id", sa.Uuid()))
    connection, last = op.get_bind(), None
    while True:
        page = sa.select(providers).order_by(providers.c.id).limit(_BATCH)
        rows = connection.execute(page if last is None else page.where(providers.c.id > last)).all()
        if not rows:
            return
        found = [{"word": word, "provider_id": row.id} for row in rows for word in search_words(row.business_name)]
        if found:
            connection.execute(sa.insert(words), found)
        last = rows[-1].id

"""Which portrait shows, and the address of its square."""

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_WHOLE: Final = "/api/v1/img/"


def upgrade() -> None:
    op.add_column("catalog_portrait", sa.Column("shown_picture_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_catalog_portrait__shown_picture_id"), "catalog_portrait", ["shown_picture_id"])
    for provider_id, url in _list_shown():
        _show_square(provider_id, url)


def _list_shown() -> Sequence[Any]:
    provider = sa.table("catalog_provider", sa.column("id", sa.Uuid()), sa.column("profile_picture_url", sa.Text()))
    shown = sa.select(provider.c.id, provider.c.profile_picture_url)
    return op.get_bind().execute(shown.where(provider.c.profile_picture_url.startswith(_WHOLE))).all()


def _show_square(provider_id: UUID, url: str) -> None:
    """Bring one provider to where it would be had its portrait been shown by this version."""
    provider = sa.table("catalog_provider", sa.column("id", sa.Uuid()), sa.column("profile_picture_url", sa.Text()))
    portrait = sa.table(
        "catalog_portrait",
        sa.column("provider_id", sa.Uuid()),
        sa.column("picture_id", sa.Uuid()),
        sa.column("shown_picture_id", sa.Uuid()),
    )
    address = urlsplit(url)
    picture_id = UUID(address.path.removeprefix(_WHOLE))
    square = f"{_WHOLE}avatar/{provider_id}?{address.query}"
    run = op.get_bind().execute
    run(provider.update().where(provider.c.id == provider_id).values(profile_picture_url=square))
    own = portrait.c.provider_id == provider_id
    if not run(portrait.update().where(own).values(shown_picture_id=picture_id)).rowcount:
        # A later choice was refused, and the one before it was left standing.
        values = {"provider_id": provider_id, "picture_id": picture_id, "shown_picture_id": picture_id}
        run(portrait.insert().values(values))

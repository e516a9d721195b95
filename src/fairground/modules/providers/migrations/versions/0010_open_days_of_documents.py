"""Let the documents of the search know on which weekdays somebody is open."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_MAYBE_ANY_DAY = "-1"


def upgrade() -> None:
    # Whose document does not know is asked as before. A million rows and their index are not written anew while a
    # server waits to start: each learns it when it changes, or by `fairground search reindex` beside the server.
    column = sa.Column("open_days", sa.BigInteger(), nullable=False, server_default=_MAYBE_ANY_DAY)
    op.add_column("catalog_search_document", column)

"""Begin the history of discovery. The catalog's history makes its tables."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    pass

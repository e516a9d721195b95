"""SQLite and PostgreSQL: the only package that names them, and the choice of one by its URL."""

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from fairground.platform.db.dialect.base import Backend, DatabaseURLError


def open_backend(url: str, *, pool_size: int, is_secondary: bool) -> Backend:
    """Return the backend for a database URL.

    Args:
        pool_size: Connections kept open to a server; also the number of concurrent readers on a file.
        is_secondary: True for a command that runs beside a server, and so must not take the server's role on a file.

    Raises:
        DatabaseURLError: The URL is malformed or names a database that Fairground does not speak.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the second is what a port that is no number ends in
        raise DatabaseURLError(
            "FAIRGROUND_DATABASE_URL is not valid. Use sqlite:///path/to/file.db or postgresql://user@host/name."
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            from fairground.platform.db.dialect.sqlite import SQLiteBackend  # noqa: PLC0415 - only what is used is loaded

            return SQLiteBackend(parsed, pool_size=pool_size, is_secondary=is_secondary)
        case "postgresql" | "postgres":
            from fairground.platform.db.dialect.postgres import PostgresBackend  # noqa: PLC0415

            return PostgresBackend(parsed, pool_size=pool_size)
        case other:
            raise DatabaseURLError(
                f"FAIRGROUND_DATABASE_URL starts with '{other}'. Fairground supports sqlite:// and postgresql://."
            )

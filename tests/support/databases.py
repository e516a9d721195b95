"""Databases with the tables of every module, on both dialects."""

import importlib
import shutil
from functools import cache
from pathlib import Path
from typing import Final

from fairground.platform.db.dialect.opening import open_backend
from fairground.platform.db.history import History
from fairground.platform.db.migrate import upgrade

SOURCE: Final = Path(__file__).resolve().parents[2] / "src"


@cache
def histories() -> tuple[History, ...]:
    """Find every `tables.py` that has a `history`, so that a new module is there without being listed here."""
    names = [".".join(file.relative_to(SOURCE).with_suffix("").parts) for file in sorted(SOURCE.rglob("tables.py"))]
    tables = map(importlib.import_module, names)
    return tuple(module.history for module in tables if hasattr(module, "history"))


def migrate(url: str) -> None:
    engine = open_backend(url, pool_size=1, is_secondary=True).migration_engine()
    try:
        with engine.begin() as connection:
            upgrade(connection, histories())
    finally:
        engine.dispose()


def copy_of(template: Path, folder: Path) -> str:
    """Copy a migrated SQLite file, which takes a fraction of a millisecond, and return the URL of the copy."""
    return f"sqlite:///{shutil.copy(template, folder / 'fairground.db')}"
